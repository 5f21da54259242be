/**
 * `<scan-stage>`: the camera's picture with the frame that a code goes into, the light where the camera has one,
 * and the choice of a camera where there are several.
 *
 * data: {scan(luma), take(scan), why(reason), without()}
 *
 * @typedef {import('../ipc/types.js').Luma} Luma
 * @typedef {import('../ipc/types.js').Scan} Scan
 * @typedef {object} StageData
 * @property {(frame: Luma) => Promise<Scan>} scan
 * @property {(scan: Scan) => unknown} take
 * @property {(why: string) => void} [why] Why nothing was found for a while now.
 * @property {() => string} [without] What to do where no camera can be used, in the place of the usual words.
 */
import { Camera } from '../lib/camera.js';
import { dropdown } from '../lib/choice.js';
import { h, icon } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { Lens } from '../lib/lens.js';
import { Steady } from '../lib/scan-words.js';
import { t } from '../strings/index.js';

const TROUBLE_WORDS = {
  noCamera: () => t('scan.noCamera'),
  denied: () => t('scan.denied'),
  busy: () => t('scan.busy'),
  silent: () => t('scan.silent'),
  gone: () => t('scan.gone'),
};

/** @extends {ViewElement<StageData>} */
export class ScanStage extends ViewElement {
  #video = h('video', { class: 'scan-video', muted: true, playsinline: true, autoplay: true, 'aria-label': t('scan.camera') });
  #cover = h('p', { class: 'scan-cover', role: 'status' });
  #stage = h('div', { class: 'scan-stage' });
  #tools = h('div', { class: 'row scan-tools', hidden: true });
  /** @type {Camera | null} */
  #camera = null;
  /** @type {Lens | null} */
  #lens = null;
  #steady = new Steady();

  setup() {
    this.#cover.textContent = t('scan.starting');
    this.#stage.classList.remove('is-live', 'is-without', 'is-over');
    this.#stage.replaceChildren(this.#video,
      h('div', { class: 'scan-frame', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')),
      this.#cover,
      h('p', { class: 'scan-drop', 'aria-hidden': 'true' }, t('scan.drop')));
    this.replaceChildren(this.#stage, this.#tools);
    this.#start();
  }

  teardown() {
    this.#stop();
  }

  /** @param {boolean} on Whether something is held over the dialog that may be dropped. */
  set over(on) {
    this.#stage.classList.toggle('is-over', on);
  }

  #start() {
    this.#stop();
    this.#steady = new Steady();
    // As a property: the attribute alone does not mute an element made by script.
    this.#video.muted = true;
    const camera = new Camera(this.#video, (frame) => this.#readFrame(frame), (reason) => {
      if (this.#camera !== camera) return;
      if (reason === 'gone') this.#tools.hidden = true; // they were its own
      this.#without((this.data.without ?? TROUBLE_WORDS[reason])());
    });
    this.#camera = camera;
    this.#lens = new Lens(this.#video);
    this.#video.onplaying = () => {
      this.#stage.classList.remove('is-without');
      this.#stage.classList.add('is-live');
      this.#cover.textContent = t('scan.guide');
      void this.#offerTools();
    };
    void camera.start();
  }

  #stop() {
    this.#lens?.stop();
    this.#camera?.stop();
    this.#lens = null;
    this.#camera = null;
    this.#tools.hidden = true;
  }

  /** @param {string} words */
  #without(words) {
    this.#stage.classList.remove('is-live');
    this.#stage.classList.add('is-without');
    this.#cover.textContent = words;
  }

  async #offerTools() {
    const lens = this.#lens;
    if (!lens) return;
    const cameras = await lens.cameras().catch(() => []);
    await lens.resume(cameras).catch(() => this.#without(t('scan.busy')));
    if (this.#lens !== lens) return;
    const parts = [];
    if (lens.canLight) parts.push(this.#torch(lens));
    if (cameras.length > 1) parts.push(this.#choice(lens, cameras));
    const held = this.#tools.contains(document.activeElement);
    this.#tools.replaceChildren(...parts);
    this.#tools.hidden = parts.length === 0;
    if (held) this.#tools.querySelector('select')?.focus();
  }

  /** @param {Lens} lens */
  #torch(lens) {
    const words = (/** @type {boolean} */ on) => [icon('torch'), on ? t('scan.torchOff') : t('scan.torchOn')];
    const button = h('button', {
      type: 'button', class: 'button', 'data-test': 'scan-torch',
      onclick: async () => {
        const on = button.dataset.on !== 'true';
        try {
          await lens.light(on);
        } catch (error) {
          console.info('no light', error);
          return;
        }
        button.dataset.on = String(on);
        button.replaceChildren(...words(on));
      },
    }, ...words(false));
    return button;
  }

  /**
   * @param {Lens} lens
   * @param {MediaDeviceInfo[]} cameras
   */
  #choice(lens, cameras) {
    const { box, select } = dropdown({
      'aria-label': t('scan.which'), 'data-test': 'scan-camera',
      onchange: () => void lens.choose(select.value).catch(() => this.#without(t('scan.busy'))),
    }, ...cameras.map(({ deviceId, label }, index) => h('option', { value: deviceId }, label || t('scan.cameraN', { n: index + 1 }))));
    select.value = lens.current;
    return box;
  }

  /** @param {Luma} frame */
  async #readFrame(frame) {
    try {
      const scan = await this.data.scan(frame);
      const why = this.#steady.next(scan.result === 'none' ? scan.why ?? '' : '');
      if (why !== '') this.data.why?.(why);
      await this.data.take(scan);
    } catch {
      // One frame that could not be read is nothing: the next one follows.
    }
  }
}
customElements.define('scan-stage', ScanStage);
