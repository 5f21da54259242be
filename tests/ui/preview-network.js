/**
 * Scenes of the network view, of diagnostics and of the Wi-Fi's code; see preview.js.
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
import { busyNumbers, cutOff, meshOf } from './mesh-samples.js';

/** @param {any} kit */
export function networkScenes({ shell, campsite, openCamp, one, press, type, wait }) {
  /** Opens the network of a room with such a mesh. @param {import('../../ui/ipc/types.js').NetworkMap} map @param {() => Promise<unknown>} [then] */
  const network = (map, then = async () => {}) => {
    const room = campsite();
    shell.maps.set(room, map);
    openCamp(room);
    return async () => {
      await press('people-open');
      await press('network-open');
      await one('network-summary');
      while ((await one('network-as-table')).closest('.network')?.querySelector('.network-views[hidden]')) await wait(20);
      await then();
    };
  };
  const asTable = () => press('network-as-table');
  const swap = (/** @type {import('../../ui/ipc/types.js').NetworkMap} */ map) => async () => {
    const [room] = shell.maps.keys();
    shell.maps.set(room, map);
    shell.emit({ kind: 'member', room, member: (shell.members.get(room) ?? [])[1] });
    await one('network-change');
    await wait(900);
  };
  const pick = (/** @type {string} */ id) => async () => {
    document.querySelector(`[data-spot="${id}"]`)?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  };
  const diagnostics = (/** @type {Partial<import('../../ui/ipc/types.js').Diagnostics>} */ given = {}) => {
    campsite();
    shell.numbers = busyNumbers(Date.now(), given);
    return async () => { await press('settings-open'); await press('diagnostics-open'); await one('diagnostics-device'); };
  };
  const wifi = async (name = 'Rosa’s hotspot', password = 'long rope 7') => {
    await press('invite-open');
    await press('wifi-open');
    await type('wifi-name', name);
    await type('wifi-password', password);
  };
  const camp = () => openCamp(campsite());
  const five = meshOf(5, { degree: 2 });
  const fourteen = meshOf(14, { degree: 4, away: 2 });

  return {
    network: () => network(fourteen),
    networkone: () => network(meshOf(1)),
    networkfive: () => network(five),
    networkpicked: () => network(fourteen, pick(fourteen.people[2].author)),
    networkfifty: () => network(meshOf(50, { degree: 7, away: 6 })),
    networkcrowd: () => network(meshOf(200, { degree: 8, away: 40 }), pick('group:3')),
    networkalone: () => network(cutOff(five, () => true)),
    networkpart: () => network(fourteen, swap(cutOff(fourteen, ({ hops, author }) => hops === 2 || author === fourteen.people[1].author))),
    networkhealed: () => {
      const cut = cutOff(fourteen, ({ hops }) => hops === 2);
      return network(cut, swap(fourteen));
    },
    networktable: () => network(fourteen, asTable),
    networktablefifty: () => network(meshOf(50, { degree: 7, away: 6 }), asTable),
    personway: () => {
      camp();
      return async () => {
        await press('people-open');
        await one('person-open');
        document.querySelector('[data-test="member"][data-state="linked"] [data-test="person-open"]')?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        await one('person-way');
      };
    },
    networkfailed: () => {
      shell.failing.network_map = { code: 'room_unknown', message: 'That room isn’t on this device. Join it first.' };
      camp();
      return async () => { await press('people-open'); await press('network-open'); await one('error-text'); };
    },
    diagnostics: () => diagnostics(),
    diagnosticsapart: () => diagnostics({ apart: true, links: [], near: 3, failures: [{ via: 'lan', reason: 'networks_apart', tookMs: 5000, atMs: Date.now() - 9000 }] }),
    diagnosticsempty: () => {
      campsite();
      shell.numbers.addresses = [];
      shell.numbers.lan = 'unavailable';
      return async () => { await press('settings-open'); await press('diagnostics-open'); await one('diagnostics-device'); };
    },
    diagnosticscounters: () => {
      const then = diagnostics({ lan: 'off' });
      return async () => {
        await then();
        const counters = await one('diagnostics-counters');
        counters.setAttribute('open', '');
        counters.scrollIntoView();
      };
    },
    diagnosticsfailed: () => {
      campsite();
      shell.failing.diagnostics = { code: 'closed', message: 'The app is closing.' };
      return async () => { await press('settings-open'); await press('diagnostics-open'); await one('error-text'); };
    },
    settingsnetwork: () => { campsite(); shell.settings.lan = 'off'; return async () => { await press('settings-open'); await one('storage-room'); (await one('notify')).scrollIntoView(); }; },
    settingsserver: () => {
      campsite();
      shell.settings.server = 'wss://meet.example.org';
      return async () => { await press('settings-open'); await one('storage-room'); await press('server-save'); await one('server-saved'); (await one('lan')).scrollIntoView(); };
    },
    serverrefused: () => {
      campsite();
      shell.failing.set_setting = { code: 'server_address', message: 'A server\'s address looks like wss://example.org. Check it, or leave it empty to use none.' };
      return async () => {
        await press('settings-open');
        await one('storage-room');
        await type('server', 'ftp://example.org');
        await press('server-save');
        await one('error-text');
        (await one('lan')).scrollIntoView();
      };
    },
    wifi: () => { camp(); return async () => { await press('invite-open'); await press('wifi-open'); }; },
    wifiwrong: () => { camp(); return async () => { await wifi('Rosa’s hotspot', 'short'); await press('wifi-show'); await press('wifi-go'); await one('error-text'); }; },
    wificode: () => { camp(); return async () => { await wifi(); await press('wifi-go'); await one('wifi-qr'); }; },
    wifiroom: () => { camp(); return async () => { await wifi(); await press('wifi-go'); await press('invite-step-2'); await one('invite-qr'); }; },
  };
}
