// What a reader may mean is offered while they type: a listbox over the box,
// as in the combobox pattern of the ARIA practices. The chat works without.
(() => {
  'use strict';
  const page = document.body.dataset;
  const composer = document.getElementById('composer');
  const input = document.getElementById('text');
  if (!page.suggest || !composer || !input) return;

  const list = document.createElement('ul');
  list.id = 'suggestions';
  list.hidden = true;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', page.suggestions);
  composer.append(list);
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-haspopup', 'listbox');
  input.setAttribute('aria-controls', list.id);
  input.setAttribute('aria-expanded', 'false');

  let offered = []; // what the list shows
  let active = -1;  // which of them the keys have chosen; -1: none, Enter sends what is typed
  let wait = 0;
  let asking = null;
  let composing = false;

  const close = () => {
    clearTimeout(wait);
    asking?.abort();
    asking = null;
    offered = [];
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute('aria-expanded', 'false');
    choose(-1);
  };

  const choose = (n) => {
    active = n;
    [...list.children].forEach((option, i) => option.setAttribute('aria-selected', String(i === n)));
    if (n < 0) {
      input.removeAttribute('aria-activedescendant');
      return;
    }
    input.setAttribute('aria-activedescendant', list.children[n].id);
    list.children[n].scrollIntoView({ block: 'nearest' });
  };

  const show = (found) => {
    if (!found.length) {
      close();
      return;
    }
    offered = found;
    list.replaceChildren(...found.map((s, i) => {
      const option = document.createElement('li');
      option.id = `suggestion${i}`;
      option.setAttribute('role', 'option');
      const label = document.createElement('span');
      label.dir = 'auto';
      label.textContent = s.label;
      option.append(label);
      if (s.note) {
        const note = document.createElement('small');
        note.textContent = s.note;
        option.append(note);
      }
      option.addEventListener('click', () => take(s));
      return option;
    }));
    list.hidden = false;
    list.scrollTop = 0;
    input.setAttribute('aria-expanded', 'true');
    choose(-1);
  };

  const ask = async () => {
    asking?.abort();
    const text = input.value.trim();
    if (!text || text.startsWith('/') || text.length > 100) {
      close();
      return;
    }
    const mine = new AbortController();
    asking = mine;
    try {
      const response = await fetch(`${page.suggest}?q=${encodeURIComponent(text)}`, { credentials: 'same-origin', signal: mine.signal });
      const found = response.ok ? await response.json() : [];
      if (asking === mine && document.activeElement === input) show(found);
    } catch {
      if (asking === mine) close(); // no connection: nothing is offered
    }
  };

  const soon = () => {
    clearTimeout(wait);
    if (!composing) wait = setTimeout(ask, 120);
  };

  // take says a suggestion as a tap on a button would.
  const take = (s) => {
    close();
    input.value = '';
    const form = document.createElement('form');
    form.method = 'post';
    form.action = composer.action;
    form.className = 'tap';
    form.hidden = true;
    for (const [name, value] of [['id', ''], ['label', s.label]]) {
      const field = document.createElement('input');
      field.type = 'hidden';
      field.name = name;
      field.value = value;
      form.append(field);
    }
    const button = document.createElement('button');
    button.name = 'tap';
    button.value = s.tap;
    form.append(button);
    document.body.append(form);
    form.requestSubmit(button);
    form.remove();
    input.focus();
  };

  input.addEventListener('input', soon);
  // Half of a word in an input method is no word yet.
  input.addEventListener('compositionstart', () => { composing = true; clearTimeout(wait); });
  input.addEventListener('compositionend', () => { composing = false; soon(); });
  input.addEventListener('blur', close);
  list.addEventListener('pointerdown', (event) => event.preventDefault()); // the box keeps the focus
  composer.addEventListener('submit', close);

  input.addEventListener('keydown', (event) => {
    if (event.isComposing || list.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
    switch (event.key) {
      case 'ArrowDown':
        choose(active + 1 < offered.length ? active + 1 : -1);
        break;
      case 'ArrowUp':
        choose(active < 0 ? offered.length - 1 : active - 1);
        break;
      case 'Enter':
        if (active < 0) return;
        take(offered[active]);
        break;
      case 'Escape':
        close();
        break;
      default:
        return;
    }
    event.preventDefault();
  });
})();
