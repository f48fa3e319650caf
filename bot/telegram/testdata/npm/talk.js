// A reader who talks to the bot over telegram-test-api, another's fake of the
// Bot API. It tells the server's address, then obeys lines of JSON on its
// standard input and answers each with one line.
'use strict'
const net = require('net')
const readline = require('readline')
const TelegramServer = require('telegram-test-api')

const token = process.argv[2]
const patience = 60_000

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

async function main() {
  const server = new TelegramServer({ port: await freePort(), host: '127.0.0.1', storeTimeout: 600 })
  await server.start()
  const client = server.getClient(token, { chatId: 7, userId: 7 })

  const { setWebhook } = server
  server.setWebhook = (...args) => {
    setWebhook.apply(server, args)
    server.emit('WebhookSet')
  }

  // heard lists what the bot said, as the server keeps it.
  const heard = () => server.getUpdatesHistory(token)
    .filter((update) => update.message && 'chat_id' in update.message)
    .sort((a, b) => a.messageId - b.messageId)
    .map(({ messageId, message }) => ({
      id: messageId,
      chat: String(message.chat_id),
      text: message.text,
      mode: message.parse_mode || '',
      rows: message.reply_markup ? message.reply_markup.inline_keyboard : [],
    }))

  // until waits for an event of the server after which look gives something.
  const until = (look) => new Promise((resolve, reject) => {
    const events = ['WebhookSet', 'AddedBotMessage', 'EditedMessageText', 'EditedMessageReplyMarkup']
    const end = (settle, value) => {
      clearTimeout(timer)
      events.forEach((event) => server.off(event, check))
      settle(value)
    }
    const check = () => {
      const found = look(heard())
      if (found) end(resolve, found)
    }
    const timer = setTimeout(() => end(reject, new Error(`the bot has said ${JSON.stringify(heard())}`)), patience)
    events.forEach((event) => server.on(event, check))
    check()
  })

  // The server counts an update only when its webhook has answered: what is said
  // before that gets the same update_id, and is no news to anybody.
  let counted = Promise.resolve()
  const say = async (event, send) => {
    await counted
    counted = new Promise((resolve) => { server.once(event, resolve) })
    return send()
  }

  const commands = {
    say: ({ text }) => (text.startsWith('/')
      ? say('AddedUserCommand', () => client.sendCommand(client.makeCommand(text)))
      : say('AddedUserMessage', () => client.sendMessage(client.makeMessage(text)))),
    tap: ({ id, data }) => say('AddedUserCallbackQuery', () => client.sendCallback(client.makeCallbackQuery(data, {
      message: { message_id: id, date: Math.floor(Date.now() / 1000), from: { id: 666, is_bot: true, first_name: 'bot' } },
    }))),
    messages: ({ count }) => until((messages) => messages.length >= count && messages),
    edited: ({ id, was }) => until((messages) => messages.find((m) => m.id === id && m.text !== was)),
    webhook: () => until(() => server.webhooks[token] && server.webhooks[token].url),
  }

  const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  reply({ url: server.config.apiURL })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { command, ...rest } = JSON.parse(line)
    try {
      reply({ value: await commands[command](rest) })
    } catch (error) {
      reply({ error: String(error) })
    }
  }
  await server.stop()
  process.exit(0)
}

main()
