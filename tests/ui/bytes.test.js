import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { bytes } from '../../ui/lib/bytes.js';
import { setLanguage } from '../../ui/strings/index.js';

afterEach(() => setLanguage('en', []));

test('sizes_are_said_in_the_unit_that_fits', () => {
  assert.deepEqual([0, 1, 999, 1000, 266_700, 12_340_000, 4.2e9, 7e13].map(bytes),
    ['0 bytes', '1 byte', '999 bytes', '1 kB', '266.7 kB', '12.3 MB', '4.2 GB', '70,000 GB']);
});

test('sizes_are_said_in_the_language', () => {
  setLanguage('ar', ['ar-EG']);
  assert.match(bytes(266_700), /^٢٦٦٫٧/);
});
