/**
 * Which camera looks, and its light: what a running `<video>` allows beyond `Camera`, which fills it.
 *
 * The camera that was chosen is remembered until the app ends; ids of cameras are never written down.
 */
import { stopAll } from './camera.js';

/** @type {string} */
let remembered = '';

export class Lens {
  /** The stream this lens opened in the place of the camera's first. @type {MediaStream | null} */
  #stream = null;
  #stopped = false;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
  }

  /** @returns {MediaStreamTrack | undefined} */
  get #track() {
    return this.video.srcObject instanceof MediaStream ? this.video.srcObject.getVideoTracks()[0] : undefined;
  }

  /** @returns {string} The id of the camera that runs. */
  get current() {
    return this.#track?.getSettings().deviceId ?? '';
  }

  /** @returns {Promise<MediaDeviceInfo[]>} All of them, once the camera is allowed; before, they have no names. */
  async cameras() {
    const devices = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
    return devices.filter(({ kind }) => kind === 'videoinput');
  }

  /** The camera chosen before, where it isn't the one that runs. @param {MediaDeviceInfo[]} cameras */
  async resume(cameras) {
    if (remembered !== '' && remembered !== this.current && cameras.some(({ deviceId }) => deviceId === remembered)) await this.choose(remembered);
  }

  /**
   * Lets another camera look. Rejects when it can't, and then none runs: few devices open two at once, so the
   * first is let go of before.
   * @param {string} deviceId
   */
  async choose(deviceId) {
    remembered = deviceId;
    this.#track?.stop();
    const stream = await navigator.mediaDevices.getUserMedia({ video: { deviceId: { exact: deviceId }, width: { ideal: 1280 } }, audio: false });
    this.#release();
    if (this.#stopped) {
      stopAll(stream);
      return;
    }
    this.#stream = stream;
    this.video.srcObject = stream;
    await this.video.play();
  }

  /** @returns {boolean} */
  get canLight() {
    const able = /** @type {{torch?: boolean} | undefined} */ (this.#track?.getCapabilities?.());
    return able?.torch === true;
  }

  /** @param {boolean} on */
  async light(on) {
    await this.#track?.applyConstraints({ advanced: [/** @type {any} */ ({ torch: on })] });
  }

  /** Call it before the camera's own `stop`. */
  stop() {
    this.#stopped = true;
    this.#release();
  }

  #release() {
    stopAll(this.#stream);
    this.#stream = null;
  }
}
