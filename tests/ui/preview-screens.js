/**
 * Scenes of settings, the list of rooms, codes, the camera and what comes before a room; see preview.js.
 *
 * @param {object} kit
 * @param {import('./fake-tauri.js').FakeShell} kit.shell
 * @param {() => string} kit.campsite
 * @param {(room: string) => void} kit.openCamp
 * @param {(hook: string) => Promise<HTMLElement>} kit.one
 * @param {(hook: string) => Promise<void>} kit.press
 * @param {(hook: string, text: string) => Promise<void>} kit.type
 * @param {(ms: number) => Promise<unknown>} kit.wait
 * @returns {Record<string, () => (void | (() => Promise<unknown>))>}
 */
export function screenScenes({ shell, campsite, openCamp, one, press, type, wait }) {
  const code = 'PEDDLENET:J/ABC';
  /** Cameras that are not there: a canvas plays the picture. @param {object} abilities @param {string[]} labels */
  const cameras = (abilities, labels) => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 640, height: 480 });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.fillStyle = '#456';
    setInterval(() => context.fillRect(0, 0, 640, 480), 40);
    /** What was added to a track goes when the page lets go of it. @type {MediaStreamTrack[]} */
    const held = [];
    const devices = {
      getUserMedia: async () => {
        const stream = canvas.captureStream(20);
        const [track] = stream.getVideoTracks();
        held.push(track);
        Object.assign(track, { getCapabilities: () => abilities, applyConstraints: async () => {}, getSettings: () => ({ deviceId: '0' }) });
        return stream;
      },
      enumerateDevices: async () => labels.map((label, n) => ({ kind: 'videoinput', deviceId: String(n), label })),
    };
    Object.defineProperty(navigator, 'mediaDevices', { value: devices, configurable: true });
  };
  /** Nothing gets through to whoever made the code. */
  const apart = () => {
    campsite();
    shell.failing.join_room = { code: 'networks_apart', message: 'The other device is on this Wi-Fi, and nothing gets through to it. Is their app open? If it is, this Wi-Fi keeps devices apart: make a hotspot on one phone and join it with the others.' };
  };
  const tryCode = async (link = code) => {
    await press('scan-open');
    await type('scan-link', link);
    await press('scan-join');
  };
  const others = (/** @type {string} */ room) => {
    const by = (/** @type {number} */ n, /** @type {object} */ given) => ({ invite: `code-${n}`, author: '0'.repeat(31) + n, mine: false, expiresMs: Date.now() + n * 3_600_000, uses: null, used: n, poster: false, ...given });
    const [, ada] = shell.members.get(room) ?? [];
    shell.invites.set(room, [by(1, { author: ada.author }), by(30, { mine: true, poster: true, used: 12 }), by(2, { author: ada.author, uses: 32 })]);
  };

  return {
    protect: () => { shell.name = 'Rosa'; return () => press('protect-open'); },
    locked: () => { shell.passphrase = 'open sesame'; return () => one('passphrase'); },
    wrongpassphrase: () => {
      shell.passphrase = 'open sesame';
      return async () => {
        await type('passphrase', 'sesame');
        await press('passphrase-show');
        await press('unlock');
        await one('error-text');
        const caps = new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: true });
        (await one('passphrase')).dispatchEvent(caps);
      };
    },
    guide: () => { shell.name = 'Rosa'; return async () => { await press('guide-open'); await press('guide-next'); await press('guide-next'); await press('guide-next'); }; },
    guidefirst: () => { shell.name = 'Rosa'; return () => press('guide-open'); },
    guidescan: () => { shell.name = 'Rosa'; return async () => { await press('guide-open'); await press('guide-next'); await press('guide-next'); }; },
    guidelast: () => { campsite(); return async () => { await press('settings-open'); await press('guide-open'); for (let n = 0; n < 4; n += 1) await press('guide-next'); }; },
    traynone: () => { campsite(); shell.tray = false; return async () => { await press('settings-open'); (await one('notify')).scrollIntoView(); }; },
    notices: () => { campsite(); return async () => { await press('settings-open'); await one('storage-room'); (await one('notify')).scrollIntoView(); }; },
    unsaved: () => {
      campsite();
      shell.failing.set_setting = { code: 'store_failed', message: 'Saving didn’t work. Check that the disk has room, then start the app again.' };
      return async () => { await press('settings-open'); await press('theme-dark'); await one('error-text'); };
    },
    switched: () => {
      campsite();
      return async () => {
        await press('settings-open');
        const language = /** @type {HTMLSelectElement} */ (await one('language'));
        language.value = 'ar';
        language.dispatchEvent(new Event('change'));
        await wait(200);
        if (document.documentElement.dir !== 'rtl') throw new Error('the language did not change');
      };
    },
    favourites: () => {
      const room = campsite();
      const [kitchen] = [...shell.rooms.values()].filter(({ name }) => name === 'Kitchen team');
      Object.assign(kitchen, { favourite: true, unread: 3, directUnread: 2 });
      Object.assign(/** @type {object} */ (shell.rooms.get(room)), { muted: true, unread: 240, directUnread: 1 });
      const gone = shell.addRoom('Last year’s camp');
      Object.assign(/** @type {object} */ (shell.rooms.get(gone)), { removed: true, left: true, last: { name: 'Ada', text: '', timeMs: Date.now() - 9e9, deleted: true } });
    },
    left: () => { const room = campsite(); shell.changeRoom(room, { removed: true, left: true, near: 0 }); openCamp(room); return () => one('own-fork'); },
    removed: () => { const room = campsite(); shell.changeRoom(room, { removed: true, near: 0 }); openCamp(room); return () => one('own-fork'); },
    roommenu: () => { campsite(); return () => press('room-menu'); },
    roomleave: () => { campsite(); return async () => { await press('room-menu'); await press('room-leave'); }; },
    forget: () => {
      const room = campsite();
      Object.assign(/** @type {object} */ (shell.rooms.get(room)), { removed: true, left: true });
      return async () => { await press('room-menu'); await press('room-leave'); };
    },
    rename: () => { openCamp(campsite()); return async () => { await press('people-open'); await press('room-rename'); }; },
    poster: () => { openCamp(campsite()); return async () => { await press('invite-open'); await press('poster-open'); }; },
    postersheet: () => { openCamp(campsite()); return async () => { await press('invite-open'); await press('poster-open'); await press('poster-make'); await one('poster'); }; },
    codes: () => { const room = campsite(); others(room); openCamp(room); return async () => { await press('invite-open'); await press('codes-open'); await one('open-code'); }; },
    shutcode: () => {
      const room = campsite();
      openCamp(room);
      return async () => { await press('invite-open'); await one('invite-qr'); shell.changeRoom(room, { closed: true }); await one('invite-open-room'); };
    },
    gonecode: () => {
      const room = campsite();
      openCamp(room);
      return async () => { await press('invite-open'); await one('invite-qr'); shell.changeRoom(room, { removed: true, near: 0 }); await one('error-text'); };
    },
    nocodes: () => { openCamp(campsite()); return async () => { await press('invite-open'); await press('codes-open'); await press('open-code-end'); await wait(100); }; },
    live: () => { campsite(); cameras({ torch: true }, ['Back', 'Front']); return async () => { await press('scan-open'); await one('scan-torch'); }; },
    unplugged: () => {
      campsite();
      cameras({ torch: true }, ['Back']);
      return async () => {
        await press('scan-open');
        await one('scan-torch');
        const video = /** @type {HTMLVideoElement} */ (document.querySelector('.scan-video'));
        /** @type {MediaStream} */ (video.srcObject).getVideoTracks()[0].dispatchEvent(new Event('ended'));
        await wait(100);
      };
    },
    dark: () => {
      campsite();
      cameras({}, ['Back']);
      shell.scans = Array.from({ length: 400 }, () => ({ result: 'none', why: 'dark' }));
      return async () => { await press('scan-open'); await one('scan-hint'); };
    },
    verifydark: () => {
      const room = campsite();
      cameras({}, ['Back']);
      shell.scans = Array.from({ length: 400 }, () => ({ result: 'none', why: 'dark' }));
      openCamp(room);
      const { author } = /** @type {import('../../ui/ipc/types.js').Member} */ (shell.members.get(room)?.find((m) => !m.me));
      return async () => {
        await press('people-open');
        await one('person-open');
        /** @type {HTMLElement} */ (document.querySelector(`button[data-author="${author}"]`)).click();
        await press('verify-scan');
        await one('scan-hint');
      };
    },
    unclear: () => {
      campsite();
      cameras({}, ['Back']);
      shell.scans = Array.from({ length: 400 }, () => ({ result: 'none', why: 'unclear' }));
      return async () => { await press('scan-open'); await one('scan-hint'); };
    },
    othercode: () => {
      campsite();
      cameras({}, ['Back']);
      shell.scans = Array.from({ length: 400 }, () => ({ result: 'other', kind: 'wifi', hint: 'This code is for a Wi-Fi network.' }));
      return async () => { await press('scan-open'); await one('scan-hint'); };
    },
    pastednothing: () => {
      campsite();
      return async () => {
        await press('scan-open');
        await one('scan-link');
        const data = new DataTransfer();
        data.setData('text/plain', 'See you at eight');
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
        await one('error-text');
      };
    },
    dropping: () => {
      campsite();
      return async () => { await press('scan-open'); (await one('scan-link')).dispatchEvent(new DragEvent('dragover', { bubbles: true, cancelable: true })); };
    },
    slow: () => {
      campsite();
      shell.delays.join_room = 60_000;
      return async () => { await tryCode(); await wait(4200); };
    },
    stopped: () => {
      campsite();
      shell.delays.join_room = 60_000;
      return async () => { await tryCode(); await press('join-cancel'); await one('scan-hint'); };
    },
    joinapart: () => { apart(); return async () => { await tryCode(); await one('back-show'); }; },
    backcode: () => { apart(); shell.delays.join_shown_back = 90_000; return async () => { await tryCode(); await press('back-show'); await one('back-qr'); }; },
    backproving: () => {
      apart();
      shell.delays.join_shown_back = 90_000;
      return async () => { await tryCode(); await press('back-show'); await one('back-qr'); shell.emit({ kind: 'join', stage: 'proving' }); await wait(100); };
    },
    backmaking: () => { apart(); shell.delays.back_code = 60_000; return async () => { await tryCode(); await press('back-show'); await wait(100); }; },
    backfailed: () => {
      apart();
      shell.failing.join_shown_back = { code: 'no_answer', message: 'Nobody answered. Are both devices on the same Wi-Fi, and is your friend’s app open?' };
      return async () => { await tryCode(); await press('back-show'); await wait(300); await one('back-show'); };
    },
    answerscan: () => { openCamp(campsite()); return async () => { await press('invite-open'); await press('answer-open'); await one('scan-link'); }; },
    answered: () => { campsite(); return async () => { await tryCode('peddlenet:b/ABC'); await one('answer-done'); }; },
    answerunknown: () => {
      campsite();
      shell.failing.answer_back = { code: 'invite_unknown', message: 'The other device doesn’t know this code. Ask for a new one.' };
      return async () => { await tryCode('PEDDLENET:B/ABC'); await one('error-text'); };
    },
    outsideback: () => { campsite(); return async () => { await one('room-item'); shell.emit({ kind: 'link', link: 'PEDDLENET:B/ABC' }); await one('outside-join'); }; },
    outsidepass: () => { campsite(); return async () => { await one('room-item'); shell.emit({ kind: 'link', link: 'peddlenet:C/ABC' }); await one('outside-pass'); }; },
    outside: () => { campsite(); return async () => { await one('room-item'); shell.emit({ kind: 'link', link: code }); await one('outside-join'); }; },
    outsidejoin: () => {
      campsite();
      shell.delays.join_room = 60_000;
      return async () => { await one('room-item'); shell.emit({ kind: 'link', link: code }); await press('outside-join'); await one('join-stage'); };
    },
  };
}
