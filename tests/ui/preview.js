/**
 * Scenes to look at, one an address: `?scene=NAME`, with `&theme=dark`, `&lang=ar`, `&text=huge` if wanted. Each prepares the in-memory shell, starts the app and
 * presses what a person would press.
 */
import { USUAL_RULES } from '../../ui/lib/power.js';
import { FakeShell } from './fake-tauri.js';
import { networkScenes } from './preview-network.js';
import { screenScenes } from './preview-screens.js';

const shell = new FakeShell();
const MINUTE = 60_000;
const person = (/** @type {number} */ n, /** @type {string} */ name, /** @type {any} */ state, hops = 1) => ({
  author: (n * 7919).toString(16).padStart(32, '0'), name, state, hops, role: /** @type {import('../../ui/ipc/types.js').Role} */ ('member'), sinceMs: Date.UTC(2026, 6, n, 9), me: false, directUnread: 0,
  verifiedAs: null, muted: false, blocked: false, forked: false, moving: false, lookalike: /** @type {any} */ ('no'),
  imitates: /** @type {string | null} */ (null), keyChanged: false,
});
const ada = person(2, 'Ada', 'linked');
const bo = person(3, 'Bo', 'reachable', 2);
const chidi = person(4, 'Chidi', 'away', 0);
const otherAda = person(5, 'Ada', 'away', 0);

/** Three rooms with something in them. */
function campsite() {
  shell.name = 'Rosa';
  const now = Date.now();
  const quiet = shell.addRoom('Kitchen team', [chidi]);
  shell.addMessage(quiet, { text: 'Pots are clean. Breakfast at eight?', timeMs: now - 26 * 60 * MINUTE, author: chidi.author, name: 'Chidi', mine: false });
  shell.addRoom('مجموعة الخيمة الكبيرة');
  const room = shell.addRoom('Camp 7', [ada, bo, chidi, otherAda]);
  const say = (/** @type {any} */ who, /** @type {string} */ text, /** @type {number} */ ago, /** @type {string[]} */ seenBy = []) => shell.addMessage(room,
    who === null
      ? { text, timeMs: now - ago * MINUTE, seenBy }
      : { text, timeMs: now - ago * MINUTE, author: who.author, name: who.name, mine: false });
  say(bo, 'We’re at the lake. No signal at all down here.', 1500);
  say(null, 'Same here. But this gets through!', 1490, [ada.author, bo.author, chidi.author]);
  say(ada, 'Morning', 95);
  say(ada, 'Who has the big tarp? It looks like rain after four and the kitchen tent still leaks on the left side.', 94);
  say(bo, 'I do 🙌 bringing it over', 90);
  say(null, 'Thanks Bo', 88, [ada.author, bo.author]);
  say(null, 'I’ll get the poles and the long rope from the van.', 87, [ada.author, bo.author]);
  say(otherAda, 'سأحضر الماء معي', 40);
  say(ada, 'https://example.org/a-very-long-address-that-must-wrap-somewhere-or-it-breaks-the-whole-page/index.html', 12);
  say(null, 'Rain’s starting. Everyone under the tarp!', 1);
  shell.rooms.forEach((r) => { if (r.name === 'Kitchen team') r.unread = 3; });
  return room;
}

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** What has this hook, and says `within` or stands in a message that does. */
const one = async (/** @type {string} */ hook, within = '') => {
  for (;;) {
    const all = Array.from(/** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-test="${hook}"]`)));
    const found = all.find((element) => element.getClientRects().length > 0 && (within === '' || element.textContent?.includes(within)))
      ?? all.find((element) => within !== '' && element.getClientRects().length > 0 && element.closest('[data-test="message"]')?.textContent?.includes(within));
    if (found) return found;
    await wait(20);
  }
};
const press = async (/** @type {string} */ hook, within = '') => (await one(hook, within)).click();
const type = async (/** @type {string} */ hook, /** @type {string} */ text) => {
  const field = /** @type {HTMLInputElement} */ (await one(hook));
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};
const openPerson = async (/** @type {string} */ author) => {
  const button = /** @type {HTMLElement} */ (document.querySelector(`button[data-author="${author}"]`));
  button.click();
  await one('digits');
};
const openCamp = (/** @type {string} */ room) => { location.hash = `#/room/${room}`; };

/** A talk with everything in it that a message can be. */
function chatter() {
  const room = campsite();
  const now = Date.now();
  const me = '1'.padStart(32, '0');
  const say = (/** @type {any} */ who, /** @type {string} */ text, /** @type {number} */ ago, given = {}) => shell.addMessage(room, {
    text, timeMs: now - ago * MINUTE, ...(who === null ? {} : { author: who.author, name: who.name, mine: false }), ...given,
  });
  const tarp = say(bo, 'Where should the big tarp go?', 34, {
    reactions: [{ reaction: '👍', authors: [ada.author, me, chidi.author] }, { reaction: '🏕️', authors: [bo.author] }, { reaction: '❤️', authors: [ada.author, otherAda.author] }],
  });
  say(null, 'Yes. Under the oak, @Bo', 33, { replyTo: tarp.message, mentions: [bo.author], seenBy: [bo.author, ada.author], editedMs: now, reactions: [{ reaction: '🙏', authors: [bo.author] }] });
  const gone = say(ada, '', 30, { deleted: true });
  say(bo, 'Are you sure?', 29, { replyTo: gone.message });
  say(chidi, 'As we said yesterday', 28, { replyTo: 'ffff' });
  say(ada, '', 27, { newer: true });
  say(ada, 'Thanks @Rosa, see https://example.org/camp/plan?day=2 (page 3).', 26, { mentions: [me] });
  say(otherAda, 'or https://pаypal.com/login and https://paypal.com@evil.example/', 25);
  say(null, '', 3, { deleted: true });
  say(null, 'I’ll look at it.', 2, { sentTo: 2 });
  return room;
}

/** Messages for an afternoon; one of them is looked for. */
function longTalk() {
  const room = campsite();
  for (let i = 0; i < 5000; i += 1) {
    shell.addMessage(room, {
      text: i === 700 ? 'The needle is in the van' : `Message ${i} ${'and more '.repeat(i % 23)}`, timeMs: Date.now() - (5000 - i) * 20_000,
      ...(i % 3 ? { author: ada.author, name: 'Ada', mine: false } : {}),
    });
  }
  return room;
}

/** Names and words that want to be something else. */
function hostile() {
  const room = campsite();
  const names = ['<img src=x onerror="window.ran=1">', '\u202Eadmin\u2066', 'A'.repeat(64), '\u200B\u200B', 'Ada\nBo', 'Z\u0351\u036B\u0343\u036A\u0302\u036B\u033Dalgo'];
  const words = [
    'W'.repeat(3000), '\u200B', '&lt;script&gt;&amp;', '{name} $& <b>', 'line\n'.repeat(400), 'a\u202E', 'x'.repeat(65_536), '\u202Egnp.exe\u202C is not what it seems',
    'javascript:alert(1) https://"onmouseover="x https://exa\u200Bmple.org', '\u202E https://example.org/\u202Egro.elgoog', '\u0000\u0007', '👩‍👩‍👧‍👦'.repeat(40),
    '<script>window.ran = 1</script><b>script</b><img src=x onerror="window.ran = 1">',
  ];
  const members = names.map((name, i) => ({ ...person(100 + i, name, 'reachable') }));
  shell.members.get(room)?.push(...members);
  words.forEach((text, i) => {
    const { author, name } = members[i % members.length];
    const said = shell.addMessage(room, { text, author, name, mine: false, timeMs: Date.now() - (20 - i) * MINUTE / 2 });
    shell.addMessage(room, {
      text: `Answer to ${name}`, replyTo: said.message, mentions: [author], timeMs: Date.now() - (20 - i) * MINUTE / 2 + 1000,
      reactions: [{ reaction: '<b>x</b>', authors: members.map((m) => m.author) }, { reaction: '\u202E\u202E', authors: [author] }],
    });
  });
  return room;
}

/** A room in which this device signed two histories. */
function frozen() {
  const room = campsite();
  Object.assign(/** @type {object} */ (shell.members.get(room)?.[0]), { role: 'member', forked: true });
  return room;
}
/** Bo signed two histories and asks to go on. */
function asking() {
  Object.assign(bo, { forked: true, moving: true });
  openCamp(campsite());
}

/** A talk with Ada alone. */
function whispers() {
  const room = campsite();
  ada.directUnread = 1;
  const lines = [['Psst. Is the surprise still on?', false, 9], ['Yes. Bo must not know!', true, 7], ['He won’t 🤫', false, 5]];
  for (const [text, mine, ago] of /** @type {[string, boolean, number][]} */ (lines)) {
    const by = mine ? {} : { author: ada.author, name: 'Ada', mine };
    shell.addMessage(room, { text, timeMs: Date.now() - ago * MINUTE, direct: ada.author, seenBy: mine ? [ada.author] : [], ...by });
  }
  openCamp(room);
}

/** @type {Record<string, () => (void | (() => Promise<unknown>))>} */
const scenes = {
  first: () => {},
  start: () => { shell.name = 'Rosa'; },
  rooms: () => { campsite(); },
  room: () => { openCamp(campsite()); },
  direct: () => { whispers(); return async () => { await press('people-open'); await press('person-write'); }; },
  directreply: () => {
    whispers();
    return async () => {
      await press('people-open');
      await press('person-write');
      await press('message-more', 'surprise');
      await press('menu-reply');
      await type('composer-input', 'It is');
    };
  },
  removedmenu: () => { const room = chatter(); shell.changeRoom(room, { removed: true, near: 0 }); openCamp(room); return () => press('message-more', 'Yes. Under'); },
  empty: () => { shell.name = 'Rosa'; openCamp(shell.addRoom('Camp 7')); },
  create: () => { campsite(); return () => press('make-room'); },
  rules: () => { campsite(); return async () => { await press('make-room'); await press('room-more'); await press('rule-inviters-moderator'); }; },
  name: () => { campsite(); return () => press('name-open'); },
  settings: () => { campsite(); return () => press('settings-open'); },
  sealed: () => { campsite(); shell.key = 'keychain'; return () => press('settings-open'); },
  holding: () => {
    campsite();
    return async () => {
      await press('settings-open');
      (await one('wipe-hold')).dispatchEvent(new PointerEvent('pointerdown', { button: 0 }));
      await wait(1700);
    };
  },
  released: () => {
    campsite();
    return async () => {
      await press('settings-open');
      const hold = await one('wipe-hold');
      hold.dispatchEvent(new PointerEvent('pointerdown', { button: 0 }));
      await wait(2900);
      hold.dispatchEvent(new PointerEvent('pointerup'));
      await wait(500);
      if (shell.calls.some(({ command }) => command === 'wipe')) throw new Error('an early release erased everything');
    };
  },
  wiped: () => {
    campsite();
    return async () => {
      await press('settings-open');
      const hold = await one('wipe-hold');
      hold.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', cancelable: true }));
      await one('wiped');
    };
  },
  invite: () => { openCamp(campsite()); return () => press('invite-open'); },
  ended: () => {
    openCamp(campsite());
    return async () => { await press('invite-open'); await press('invite-revoke'); };
  },
  scan: () => { campsite(); return () => press('scan-open'); },
  joining: () => {
    campsite();
    shell.delays.join_room = 60_000;
    return async () => {
      await press('scan-open');
      await type('scan-link', 'PEDDLENET:J/ABC');
      await press('scan-join');
      shell.emit({ kind: 'join', stage: 'proving' });
    };
  },
  refused: () => {
    campsite();
    shell.failing.join_room = { code: 'invite_expired', message: 'This code ended 3 minutes ago. Ask your friend to show a new one.' };
    return async () => { await press('scan-open'); await type('scan-link', 'PEDDLENET:J/ABC'); await press('scan-join'); };
  },
  nopeople: () => {
    shell.failing.members = { code: 'internal', message: 'Something went wrong inside the app. Try again.' };
    openCamp(campsite());
    return async () => { await press('people-open'); await one('people-again'); };
  },
  people: () => { openCamp(campsite()); return () => press('people-open'); },
  person: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); };
  },
  verified: () => {
    Object.assign(bo, { verifiedAs: 'Bo', muted: true });
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); };
  },
  imitator: () => {
    Object.assign(ada, { verifiedAs: 'Ada' });
    Object.assign(otherAda, { lookalike: 'imitates', imitates: ada.author, keyChanged: true });
    Object.assign(chidi, { forked: true });
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(otherAda.author); };
  },
  marks: () => {
    Object.assign(ada, { verifiedAs: 'Ada' });
    Object.assign(otherAda, { lookalike: 'imitates', imitates: ada.author, keyChanged: true });
    Object.assign(chidi, { forked: true });
    Object.assign(bo, { blocked: true });
    openCamp(campsite());
    return () => press('people-open');
  },
  verifycode: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); await press('verify-show'); };
  },
  verifyscan: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); await press('verify-scan'); };
  },
  verifyback: () => {
    openCamp(campsite());
    shell.scans = [{ result: 'back', link: 'PEDDLENET:B/ABC' }];
    return async () => {
      await press('people-open');
      await one('person-open');
      await openPerson(bo.author);
      await press('verify-scan');
      const picture = await new Promise((/** @type {(picture: Blob) => void} */ resolve) => document.createElement('canvas').toBlob((blob) => resolve(/** @type {Blob} */ (blob))));
      const data = new DataTransfer();
      data.items.add(new File([picture], 'code.png', { type: 'image/png' }));
      const input = /** @type {HTMLInputElement} */ (document.querySelector('[data-test="verify-file"]'));
      input.files = data.files;
      input.dispatchEvent(new Event('change'));
      await one('error-text');
    };
  },
  power: () => {
    bo.role = 'moderator';
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); (await one('person-ban')).scrollIntoView(); };
  },
  removing: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); await press('person-remove'); };
  },
  banning: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); await press('person-ban'); };
  },
  refusedremoval: () => {
    shell.failing.remove_member = { code: 'not_allowed', message: 'You can’t do that in this room. Ask somebody who moderates it.' };
    openCamp(campsite());
    return async () => {
      await press('people-open');
      await one('person-open');
      await openPerson(bo.author);
      await press('person-remove');
      await press('person-remove-go');
      await wait(100);
      (await one('person-ban')).scrollIntoView();
    };
  },
  door: () => { bo.role = 'moderator'; openCamp(campsite()); return async () => { await press('people-open'); await one('room-close'); }; },
  closed: () => { openCamp(campsite()); return async () => { await press('people-open'); await press('room-close'); }; },
  copies: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await press('room-backup-start'); (await one('room-backup-stop')).scrollIntoView(); };
  },
  boxpass: () => {
    openCamp(campsite());
    return async () => { await press('people-open'); await press('room-pass'); (await one('room-pass-save')).scrollIntoView(); };
  },
  copiesmember: () => {
    const room = campsite();
    shell.changeRoom(room, { backup: true, role: 'member' });
    Object.assign(/** @type {object} */ (shell.members.get(room)?.[0]), { role: 'member' });
    openCamp(room);
    return async () => { await press('people-open'); (await one('room-backed')).scrollIntoView(); };
  },
  closedcode: () => {
    const room = campsite();
    shell.changeRoom(room, { closed: true });
    openCamp(room);
    return async () => { await press('invite-open'); await one('invite-open-room'); };
  },
  nocode: () => {
    shell.failing.create_invite = { code: 'not_allowed', message: 'You can’t do that in this room. Ask somebody who moderates it.' };
    openCamp(campsite());
    return async () => { await press('invite-open'); await one('error-text'); };
  },
  kept: () => { const room = campsite(); shell.changeRoom(room, { rules: { ...USUAL_RULES, retentionS: 604_800 } }); openCamp(room); return async () => { (await one('message')).parentElement?.scrollTo(0, 0); }; },
  keptpeople: () => {
    const room = campsite();
    shell.changeRoom(room, { rules: { history: 'fromJoin', inviters: 'moderator', retentionS: 86_400 } });
    openCamp(room);
    return async () => { await press('people-open'); (await one('room-kept')).scrollIntoView(); };
  },
  frozen: () => { openCamp(frozen()); return () => one('move-on'); },
  asked: () => {
    openCamp(frozen());
    return async () => { await press('move-on'); await wait(200); };
  },
  refusedmove: () => {
    shell.failing.move_on = { code: 'disk_full', message: 'The disk is full. Free some space and try again.' };
    openCamp(frozen());
    return async () => { await press('move-on'); await one('error-text'); };
  },
  frozensheet: () => {
    openCamp(frozen());
    return async () => {
      await press('people-open');
      /** @type {HTMLElement} */ (await one('person-open')).click();
      await one('warning-forked');
    };
  },
  confirming: () => { asking(); return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); }; },
  askingmark: () => { asking(); return async () => { await press('people-open'); await one('person-open'); }; },
  confirmed: () => {
    asking();
    return async () => { await press('people-open'); await one('person-open'); await openPerson(bo.author); await press('move-confirm'); };
  },
  leave: () => { openCamp(campsite()); return async () => { await press('people-open'); await press('room-leave'); }; },
  seen: () => { openCamp(campsite()); return () => press('message-state'); },
  said: () => { openCamp(chatter()); },
  menu: () => { openCamp(chatter()); return () => press('message-more', 'tarp'); },
  menuown: () => { openCamp(chatter()); return () => press('message-more', 'Yes. Under'); },
  reacttype: () => {
    openCamp(chatter());
    return async () => { await press('message-more', 'tarp'); await press('react-type'); await type('react-input', 'words'); await press('react-go'); };
  },
  reply: () => { openCamp(chatter()); return async () => { await press('message-more', 'tarp'); await press('menu-reply'); await type('composer-input', 'I have it'); }; },
  edit: () => { openCamp(chatter()); return async () => { await press('message-more', 'Yes. Under'); await press('menu-edit'); }; },
  takingback: () => { openCamp(campsite()); return async () => { await press('message-more', 'Rain’s starting'); await press('menu-delete'); }; },
  deleting: () => { openCamp(chatter()); return async () => { await press('message-more', 'Yes. Under'); await press('menu-delete'); }; },
  naming: () => { openCamp(chatter()); return async () => { await type('composer-input', 'Could @'); }; },
  link: () => { openCamp(chatter()); return () => press('message-link', 'example.org'); },
  linkfalse: () => { openCamp(chatter()); return () => press('message-link', 'pаypal'); },
  linkuser: () => { openCamp(chatter()); return () => press('message-link', '@evil'); },
  search: () => { openCamp(chatter()); return async () => { await press('search-open'); await type('search-input', 'tarp'); await wait(500); }; },
  searchnone: () => { openCamp(chatter()); return async () => { await press('search-open'); await type('search-input', 'submarine'); await wait(500); }; },
  searchlong: () => {
    shell.searchStep = 200;
    openCamp(longTalk());
    return async () => { await press('search-open'); await type('search-input', 'message 4 and'); await wait(1500); };
  },
  jump: () => {
    openCamp(longTalk());
    return async () => { await press('search-open'); await type('search-input', 'needle'); await one('search-result'); await press('search-result'); await one('message', 'The needle'); await wait(400); };
  },
  jumping: () => {
    openCamp(longTalk());
    return async () => {
      await press('search-open');
      await type('search-input', 'needle');
      await one('search-result');
      shell.delays.history = 60_000;
      await press('search-result');
      await wait(300);
    };
  },
  hostile: () => { openCamp(hostile()); },
  hostilepeople: () => { openCamp(hostile()); return async () => { await type('composer-input', '@'); }; },
  hostilesearch: () => { openCamp(hostile()); return async () => { await press('search-open'); await type('search-input', 'script'); await wait(500); }; },
  hostilenetwork: () => { openCamp(hostile()); return async () => { await press('people-open'); await press('network-open'); await one('network-caption'); await wait(200); }; },
  hostilenetworktable: () => { openCamp(hostile()); return async () => { await press('people-open'); await press('network-open'); await one('network-caption'); await press('network-as-table'); }; },
  hostilesheet: () => { openCamp(hostile()); return async () => { await press('people-open'); await one('person-open'); }; },
  hostileperson: () => { const room = hostile(); openCamp(room); return async () => { await press('people-open'); await one('person-open'); await openPerson(shell.members.get(room)?.at(-6)?.author ?? ''); }; },
  hostileseen: () => { openCamp(hostile()); return async () => { await press('message-state'); }; },
  hostilemenu: () => { openCamp(hostile()); return async () => { await press('message-more', '<'); }; },
  hostilereply: () => { openCamp(hostile()); return async () => { await press('message-more', '<'); await press('menu-reply'); }; },
  hostiledelete: () => { openCamp(hostile()); return async () => { await press('message-more', 'Answer to'); await press('menu-delete'); }; },
  hostiledirect: () => {
    const room = hostile();
    const [other] = shell.members.get(room)?.slice(-6) ?? [];
    shell.addMessage(room, { text: '<script>window.ran = 1</script>', direct: other.author, author: other.author, name: other.name, mine: false });
    openCamp(room);
    return async () => { await press('people-open'); (await one('member')).parentElement?.querySelector(`[data-test="member"][data-author="${other.author}"] [data-test="person-write"]`)?.dispatchEvent(new MouseEvent('click', { bubbles: true })); await one('direct'); };
  },
  hostilelink: () => { openCamp(hostile()); return async () => { await press('message-link', 'example.org'); await one('link-host'); }; },
  hostilerooms: () => { hostile(); return () => one('room-item'); },
  draft: () => {
    const room = campsite();
    shell.drafts.push({ room, to: null, text: 'Written before the restart' });
    openCamp(room);
  },
  states: () => {
    const room = campsite();
    openCamp(room);
    return async () => {
      await type('composer-input', 'This one goes through');
      await press('composer-send');
      await wait(50);
      shell.failing.send_message = { code: 'disk_full', message: 'The disk is full. Free some space and try again.' };
      await type('composer-input', 'This one does not');
      await press('composer-send');
      await wait(50);
      delete shell.failing.send_message;
      shell.delays.send_message = 60_000;
      await type('composer-input', 'And this one is under way');
      await press('composer-send');
      await type('composer-input', 'A draft\nof two lines');
    };
  },
  long: () => {
    const room = campsite();
    for (let i = 0; i < 5000; i += 1) {
      shell.addMessage(room, { text: `Message ${i} ${'and more '.repeat(i % 23)}`, ...(i % 3 ? { author: ada.author, name: 'Ada', mine: false } : {}), timeMs: Date.now() - (5000 - i) * 1000 });
    }
    openCamp(room);
  },
  huge: () => {
    const room = campsite();
    const list = shell.messages.get(room) ?? [];
    const [base] = list.splice(0);
    for (let i = 0; i < 100_000; i += 1) {
      list.push({ ...base, message: shell.id(), text: `Message ${i} ${'and more '.repeat(i % 23)}`, timeMs: Date.now() - (100_000 - i) * 60_000, ...(i % 3 ? {} : { mine: true, author: '1'.padStart(32, '0') }) });
    }
    openCamp(room);
  },
  failed: () => { shell.failing.subscribe = { code: 'locked', message: 'PeddleNet is already open on this device. Close the other window first.' }; },
};

Object.assign(scenes, networkScenes({ shell, campsite, openCamp, one, press, type, wait }), screenScenes({ shell, campsite, openCamp, one, press, type, wait }));

const asked = new URLSearchParams(location.search);
const scene = asked.get('scene') ?? 'room';
shell.settings = { language: asked.get('lang') ?? 'en', theme: asked.get('theme') ?? 'light', textSize: asked.get('text') ?? 'medium' };
// What the page keeps of them, for scenes before they are known.
localStorage.setItem('peddlenet.look', JSON.stringify(shell.settings));
Object.assign(window, { scenes: Object.keys(scenes) });
location.hash = '#/';
const then = scenes[scene]();
Object.assign(window, { __TAURI__: shell.tauri, shell });
await import('../../ui/main.js');
if (then) await then();
while (['starting', undefined].includes(/** @type {HTMLElement} */ (document.querySelector('app-shell')).dataset.view)) await wait(20);
document.documentElement.dataset.ready = 'true';
