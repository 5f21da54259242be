import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, countdown, dayKey, dayLabel, daysAgo, shortTime, sinceWhen } from '../../ui/lib/time.js';

const NOW = new Date(2026, 6, 15, 14, 30).getTime();
const at = (/** @type {number[]} */ ...parts) => new Date(parts[0], parts[1], parts[2], parts[3] ?? 0, parts[4] ?? 0).getTime();

test('days_are_those_of_the_calendar_not_of_24_hours', () => {
  assert.equal(daysAgo(at(2026, 6, 15, 0, 1), NOW), 0);
  assert.equal(daysAgo(at(2026, 6, 14, 23, 59), NOW), 1);
  assert.equal(dayKey(at(2026, 6, 15, 0, 0)), dayKey(at(2026, 6, 15, 23, 59)));
  assert.notEqual(dayKey(at(2026, 6, 14, 23, 59)), dayKey(at(2026, 6, 15, 0, 0)));
});

test('day_lines_are_named_as_people_say_them', () => {
  assert.equal(dayLabel(NOW, NOW), 'Today');
  assert.equal(dayLabel(at(2026, 6, 14, 9), NOW), 'Yesterday');
  assert.equal(dayLabel(at(2026, 6, 12, 9), NOW), 'Sunday');
  assert.match(dayLabel(at(2026, 5, 1, 9), NOW), /^Monday,? 1 June$/);
  assert.equal(dayLabel(at(2024, 5, 1, 9), NOW), '1 June 2024');
});

test('the_list_says_times_as_short_as_it_can', () => {
  assert.equal(shortTime(NOW - 20_000, NOW), 'now');
  assert.equal(shortTime(NOW - 5 * 60_000, NOW), '5 min');
  assert.equal(shortTime(at(2026, 6, 15, 9, 5), NOW), clock(at(2026, 6, 15, 9, 5)));
  assert.equal(shortTime(at(2026, 6, 14, 9), NOW), 'Yesterday');
  assert.equal(shortTime(at(2026, 2, 3, 9), NOW), '3 Mar');
});

test('since_when_somebody_is_here_is_an_hour_of_today_or_a_day', () => {
  assert.equal(sinceWhen(at(2026, 6, 15, 9, 5), NOW), clock(at(2026, 6, 15, 9, 5)));
  assert.equal(sinceWhen(at(2026, 6, 14, 9), NOW), '14 Jul');
  assert.equal(sinceWhen(at(2024, 5, 1, 9), NOW), '1 June 2024');
});

test('a_time_from_the_future_is_shown_and_breaks_nothing', () => {
  assert.equal(shortTime(NOW + 30_000, NOW), 'now', 'clocks differ a little');
  assert.match(dayLabel(at(2026, 6, 20, 9), NOW), /^Monday,? 20 July$/);
});

test('a_countdown_never_shows_less_than_nothing', () => {
  assert.equal(countdown(600_000), '10:00');
  assert.equal(countdown(65_001), '1:06');
  assert.equal(countdown(999), '0:01');
  assert.equal(countdown(-5000), '0:00');
});
