import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standing } from '../../ui/lib/people.js';
import { RETENTIONS, USUAL_RULES, keptLine, mayClose, mayConfirmMove, moderates, owns, powersOver, retentionWords, ruleLines } from '../../ui/lib/power.js';
import { member, room } from './samples.js';

/** @param {any} role */
const me = (role) => member('me', { me: true, role });
/** @param {any} role @param {any} [given] */
const them = (role, given = {}) => member('them', { role, ...given });
const nothing = { role: null, remove: false };

test('an_owner_changes_roles_and_removes', () => {
  assert.deepEqual(powersOver(me('owner'), them('member')), { role: 'moderator', remove: true });
  assert.deepEqual(powersOver(me('owner'), them('moderator')), { role: 'member', remove: true });
});

test('a_moderator_removes_members_and_moderators_and_changes_no_role', () => {
  assert.deepEqual(powersOver(me('moderator'), them('member')), { role: null, remove: true });
  assert.deepEqual(powersOver(me('moderator'), them('moderator')), { role: null, remove: true });
});

test('nothing_is_offered_to_members_about_owners_about_oneself_or_about_the_gone', () => {
  for (const role of ['member', 'moderator', 'owner']) {
    assert.deepEqual(powersOver(me('member'), them(role)), nothing, role);
    assert.deepEqual(powersOver(me(role), them('owner')), nothing, role);
    assert.deepEqual(powersOver(me(role), me(role)), nothing, role);
    assert.deepEqual(powersOver(me(role), them('member', { state: 'removed' })), nothing, role);
  }
  assert.deepEqual(powersOver(undefined, them('member')), nothing, 'the list is not here yet');
  assert.deepEqual(powersOver(me('newer'), them('member')), nothing, 'what is not known has no power');
  assert.deepEqual(powersOver(me('owner'), them('newer')), { role: 'moderator', remove: true });
});

test('moderators_and_owners_close_a_room', () => {
  assert.deepEqual(['member', 'moderator', 'owner', 'newer'].map((role) => mayClose(me(role))), [false, true, true, false]);
  assert.equal(mayClose(undefined), false);
});

test('moderators_and_owners_let_somebody_go_on_under_a_new_key_who_asks_whatever_their_rank', () => {
  const asks = them('owner', { forked: true, moving: true });
  assert.deepEqual(['member', 'moderator', 'owner', 'newer'].map((role) => mayConfirmMove(me(role), asks)), [false, true, true, false]);
  assert.equal(mayConfirmMove(undefined, asks), false);
  assert.equal(mayConfirmMove(me('owner'), them('member', { forked: true })), false, 'nobody asked');
  assert.equal(mayConfirmMove(me('owner'), them('member', { moving: true, state: 'removed' })), false);
  assert.equal(mayConfirmMove(me('owner'), member('me', { me: true, role: 'owner', moving: true })), false);
});

test('a_room_is_made_with_the_choices_that_the_node_takes_by_default', () => {
  assert.deepEqual(USUAL_RULES, { history: 'shared', inviters: 'member', retentionS: null });
  assert.equal(RETENTIONS[0], USUAL_RULES.retentionS);
  assert.deepEqual(RETENTIONS.slice(1), [2_592_000, 604_800, 86_400]);
  assert.deepEqual(RETENTIONS.map(retentionWords), ['for ever', '30 days', '7 days', '1 day']);
});

test('a_room_that_lets_go_of_messages_says_so_and_others_say_nothing', () => {
  assert.equal(keptLine(room()), '');
  assert.equal(keptLine(room({ rules: { ...USUAL_RULES, retentionS: 604_800 } })), 'Messages are kept for 7 days, then they are gone from every device.');
  assert.deepEqual([86_399, 7200, 3600, 90, 1].map(retentionWords), ['24 hours', '2 hours', '1 hour', '2 minutes', '1 minute']);
});

test('the_other_rules_of_a_room_are_said_in_words', () => {
  assert.deepEqual(ruleLines(USUAL_RULES), ['New people can read everything that was written before they came.', 'Everyone may invite.']);
  const strict = /** @type {const} */ ({ history: 'fromJoin', inviters: 'moderator', retentionS: null });
  assert.deepEqual(ruleLines(strict), ['New people can read only what is written from when they join.', 'Moderators may invite, and whoever made the room.']);
  assert.equal(ruleLines({ ...strict, inviters: 'owner' })[1], 'Only whoever made the room may invite.');
});

test('the_list_says_who_is_more_than_a_member', () => {
  assert.equal(standing(them('member')), 'here');
  assert.equal(standing(them('moderator', { state: 'away' })), 'moderator · away');
  assert.equal(standing(me('owner')), 'made this room · this device');
});

test('who_moderates_is_known_before_the_members_are', () => {
  assert.equal(moderates(room({ role: 'moderator' }), undefined), true);
  assert.equal(moderates(room({ role: null }), undefined), false);
  assert.equal(moderates(room({ role: 'member' }), [member('me', { me: true, role: 'owner' })]), true, 'the list of members is newer');
  assert.equal(moderates(room({ role: 'owner', removed: true }), undefined), false);
});

test('only_an_owner_decides_about_copies_with_servers_and_only_while_in_the_room', () => {
  assert.deepEqual(['member', 'moderator', 'owner', 'newer', null].map((role) => owns(room({ role: /** @type {any} */ (role) }), undefined)),
    [false, false, true, false, false]);
  assert.equal(owns(room({ role: 'owner' }), [member('me', { me: true, role: 'moderator' })]), false, 'the list of members is newer');
  assert.equal(owns(room({ role: 'member' }), [member('me', { me: true, role: 'owner' })]), true);
  assert.equal(owns(room({ role: 'owner', removed: true }), undefined), false);
});
