// The chat works without this script. With it, forms are sent in the
// background, and what newsie says unasked arrives by server-sent events.
(() => {
  'use strict';
  const page = document.body.dataset;
  const log = document.getElementById('log');
  const composer = document.getElementById('composer');
  const input = document.getElementById('text');
  const status = document.getElementById('status');
  const below = document.getElementById('below');
  const title = document.title;
  const smooth = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';

  let zone = '';
  try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone || ''; } catch { /* an old browser */ }
  composer.elements.zone.value = zone;

  let last = Number(page.last) || 0; // the newest message shown
  let sending = 0;
  let waiting = [];                  // what came by the stream while an answer was on its way

  // Showing messages

  const parse = (html) => {
    const t = document.createElement('template');
    t.innerHTML = html;
    return [...t.content.querySelectorAll('.entry')];
  };

  const idOf = (entry) => Number(entry.dataset.id) || 0;

  // put shows messages in the order of their ids, each once, and returns the new ones.
  const put = (entries) => {
    const added = [];
    for (const entry of entries) {
      const id = idOf(entry);
      if (id && document.getElementById(entry.id)) continue;
      if (id) greeted();
      let before = null;
      for (let e = log.lastElementChild; e; e = e.previousElementSibling) {
        if (idOf(e) ? !id || idOf(e) < id : !e.matches('.pending, .typing')) break;
        before = e;
      }
      entry.classList.add('new');
      log.insertBefore(entry, before);
      last = Math.max(last, id);
      added.push(entry);
    }
    clock();
    return added;
  };

  // greeted drops the welcome that was shown but not kept, once it is.
  const greeted = () => {
    for (const e of log.querySelectorAll('.it:not([data-id]):not(.typing)')) e.remove();
    const chips = document.getElementById('chips');
    if (chips) chips.remove();
  };

  const clock = () => {
    const today = new Date().toDateString();
    for (const t of log.querySelectorAll('time.when:empty')) {
      const at = new Date(t.dateTime);
      if (isNaN(at)) continue;
      const style = { hour: '2-digit', minute: '2-digit' };
      if (at.toDateString() !== today) Object.assign(style, { day: 'numeric', month: 'short' });
      t.textContent = new Intl.DateTimeFormat(document.documentElement.lang || undefined, style).format(at);
    }
    // One time stands for all messages of its minute.
    const all = [...log.querySelectorAll('time.when')];
    all.forEach((t, i) => { t.hidden = i + 1 < all.length && all[i + 1].textContent === t.textContent; });
  };

  const room = () => innerHeight - 150;
  const nearEnd = () => document.documentElement.scrollHeight - innerHeight - scrollY < 160;
  const toEnd = (behavior) => scrollTo({ top: document.documentElement.scrollHeight, behavior });

  // reveal shows as much of the messages as fits, and always their beginning.
  const reveal = (entries) => {
    if (!entries.length) return;
    const top = entries[0].getBoundingClientRect().top;
    const bottom = entries[entries.length - 1].getBoundingClientRect().bottom;
    if (bottom - top < room()) toEnd(smooth);
    else entries[0].scrollIntoView({ block: 'start', behavior: smooth });
  };

  const say = (text) => {
    status.textContent = text || '';
    status.hidden = !text;
  };

  // Sending

  const random = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  };

  const bubble = (text) => {
    const entry = document.createElement('article');
    entry.className = 'entry me pending new';
    const box = document.createElement('div');
    box.className = 'bubble';
    const p = document.createElement('p');
    p.dir = 'auto';
    p.textContent = text;
    box.append(p);
    entry.append(box);
    return entry;
  };

  const typing = () => {
    const entry = document.createElement('article');
    entry.className = 'entry it typing';
    entry.setAttribute('aria-hidden', 'true');
    entry.innerHTML = '<div class="bubble"><i></i><i></i><i></i></div>';
    return entry;
  };

  const send = async (form, shown, before) => {
    const mine = bubble(shown);
    log.insertBefore(mine, before || null);
    await post(form, mine);
  };

  const post = async (form, mine) => {
    const dots = typing();
    const slow = setTimeout(() => { mine.after(dots); toEnd(smooth); }, 300);
    toEnd(smooth);
    sending++;
    say('');
    const failed = await exchange(form, mine);
    clearTimeout(slow);
    dots.remove();
    if (failed) unsent(form, mine, failed);
    if (--sending > 0) return;
    const held = waiting;
    waiting = [];
    for (const html of held) arrive(html);
  };

  // exchange posts a form and shows what comes back; it returns why it could not.
  const exchange = async (form, mine) => {
    let response, text;
    try {
      response = await fetch(composer.action, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { 'Newsie-Fragment': '1' },
        credentials: 'same-origin',
        signal: AbortSignal.timeout ? AbortSignal.timeout(30000) : undefined,
      });
      text = await response.text();
    } catch {
      return page.offline;
    }
    if (!response.ok) {
      return (response.headers.get('Content-Type') || '').startsWith('text/plain') ? text : page.trouble;
    }
    const note = response.headers.get('Newsie-Chat');
    if (note === 'forgotten') forgotten();
    const entries = parse(text);
    if (entries.length) mine.remove();
    else mine.classList.remove('pending');
    const added = put(entries);
    reveal(added.slice(Math.max(0, added.findIndex((e) => e.matches('.me')))));
    if (note === 'new') listen();
    return '';
  };

  // unsent offers to send the same message again, under the same id.
  const unsent = (form, mine, why) => {
    mine.querySelector('.unsent')?.remove();
    const line = document.createElement('div');
    line.className = 'unsent';
    line.append(why || page.failed);
    const again = document.createElement('button');
    again.type = 'button';
    again.textContent = page.retry;
    again.addEventListener('click', () => {
      line.remove();
      post(form, mine);
    });
    line.append(again);
    mine.append(line);
    toEnd(smooth);
  };

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const typed = form === composer;
    if (!typed && !form.matches('form.tap')) return;
    event.preventDefault();
    const data = new FormData(form, event.submitter || undefined);
    data.set('id', random());
    data.set('zone', zone);
    if (typed) {
      const text = input.value.trim();
      if (!text) return;
      input.value = '';
      input.focus();
      send(data, text);
      return;
    }
    const button = event.submitter || form.querySelector('button');
    if (button.disabled) return;
    button.disabled = true;
    send(data, data.get('label') || data.get('tap')).finally(() => { button.disabled = false; });
  });

  // Beginning

  // begin has a reader who came by a code begin, once: the address that says so
  // is gone before, so that neither reloading nor going back begins again.
  const begin = () => {
    const form = document.getElementById('start');
    if (!form) return;
    const data = new FormData(form);
    data.set('zone', zone);
    history.replaceState(null, '', location.pathname);
    form.remove();
    for (const e of document.querySelectorAll('input[name=start]')) e.remove();
    send(data, data.get('label'), log.querySelector('.it:not([data-id])'));
  };

  // seen calls f as soon as somebody sees the page, which browsers also load ahead.
  const seen = (f) => {
    const look = () => {
      if (document.prerendering || document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      document.removeEventListener('prerenderingchange', look);
      f();
    };
    document.addEventListener('visibilitychange', look);
    document.addEventListener('prerenderingchange', look);
    look();
  };

  // Listening

  let source = null;
  let again = 0;
  let unseen = 0;

  const arrive = (html) => {
    const stay = !nearEnd();
    const added = put(parse(html));
    if (!added.length) return;
    if (document.hidden) {
      unseen += added.filter((e) => e.matches('.it')).length;
      if (unseen) document.title = `(${unseen}) ${title}`;
    }
    if (stay) below.hidden = false;
    else reveal(added);
  };

  const listen = () => {
    clearTimeout(again);
    source?.close();
    source = new EventSource(`${page.stream}?after=${last}`);
    source.addEventListener('open', () => say(''));
    source.addEventListener('message', (event) => {
      if (sending) waiting.push(event.data);
      else arrive(event.data);
    });
    source.addEventListener('forgotten', () => {
      if (!sending) location.reload();
    });
    source.addEventListener('error', () => {
      // The browser tries again by itself unless the server refused.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(again);
      again = setTimeout(listen, 15000);
    });
  };

  const forgotten = () => {
    source?.close();
    for (const e of [...log.children]) if (!e.matches('.pending')) e.remove();
    document.querySelector('.earlier')?.remove();
    waiting = [];
    last = 0;
  };

  // A browser opens few connections to one host; a tab that stays in the
  // background gives its own back.
  let rest = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(rest);
    if (document.hidden) {
      rest = setTimeout(() => { source?.close(); source = null; }, 60000);
      return;
    }
    unseen = 0;
    document.title = title;
    if (!source || source.readyState === EventSource.CLOSED) listen();
  });

  addEventListener('offline', () => say(page.offline));
  addEventListener('online', () => { say(''); listen(); });
  addEventListener('scroll', () => { if (nearEnd()) below.hidden = true; }, { passive: true });
  below.addEventListener('click', () => toEnd(smooth));

  clock();
  if (!new URLSearchParams(location.search).has('before')) {
    if (log.children.length > 1) toEnd('auto');
    listen();
  }
  seen(begin);
  if (matchMedia('(hover: hover) and (pointer: fine)').matches) input.focus({ preventScroll: true });
})();
