/**
 * A camera for windows that have none: builds the GStreamer plugin of ../camera/ and says how to load it.
 *
 * The real cameras of this machine stay out of it: the plugin stands in a folder of its own, with a registry of its own.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../camera/shaking_camera.c', import.meta.url));

/** As `page.grey` of `codeSeen`: what the camera looks at. @typedef {{width: number, height: number, bytes: Buffer}} Grey */

/**
 * Compiles the plugin.
 * @param {string} folder
 * @returns {Promise<Record<string, string>>} Environment for an app that is to have the camera and nothing else.
 */
export async function buildCamera(folder) {
  const plugins = path.join(folder, 'gst-plugins');
  await mkdir(plugins, { recursive: true });
  const flags = await run('pkg-config', ['--cflags', '--libs', 'gstreamer-1.0', 'gstreamer-base-1.0']);
  await run('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', path.join(plugins, 'libgstshakingcamera.so'),
    SOURCE, ...flags.stdout.trim().split(/\s+/), '-lm']);
  return {
    GST_PLUGIN_PATH: plugins,
    GST_REGISTRY: path.join(folder, 'gst-registry.bin'),
    PEDDLENET_TEST_CAMERA: path.join(folder, 'code.pgm'),
  };
}

/** What the camera sees from its next start in a new process on. @param {string} folder @param {Grey} grey */
export async function showToCamera(folder, { width, height, bytes }) {
  await writeFile(path.join(folder, 'code.pgm'), Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), bytes]));
}
