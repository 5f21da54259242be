//! What a device keeps for its person: found words, drafts, settings, rooms that were left, names of rooms.

use std::time::Duration;

use peddlenet_mesh::{Draft, ErrorCode, Event, InviteOptions, Receipts, Role, RoomId, RoomPrefs};
use peddlenet_store::{
    SledStore, Store, Write,
    limits::{COMMIT_WRITES_MAX, RANGES_MAX},
};
use peddlenet_tests::sealed;
use peddlenet_wire::{Invite, Seq, Stream};

use crate::{
    device::{Device, TTL, pair, same_room, until},
    direct::id_of,
};

async fn found(device: &Device, room: RoomId, query: &str) -> Vec<String> {
    let (mut texts, mut before) = (Vec::new(), None);
    loop {
        let part = device.node.search(room, query, before).await.unwrap();
        texts.extend(part.messages.into_iter().map(|m| m.text));
        match part.before {
            Some(next) => before = Some(next),
            None => return texts,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_are_found_newest_first_also_in_edits() {
    let (ada, mut bea, room) = pair("Search").await;
    for n in 0..700 {
        ada.say(room, &format!("message {n}")).await;
    }
    ada.say(room, "Meet at the Größe stage").await;
    let edited = ada.say(room, "at the gate").await;
    ada.node
        .edit(room, edited, "at the STAGE door")
        .await
        .unwrap();
    let deleted = ada.say(room, "stage fright").await;
    ada.node.delete(room, deleted).await.unwrap();
    assert_eq!(
        found(&ada, room, "stage").await,
        ["at the STAGE door", "Meet at the Größe stage"]
    );
    assert_eq!(found(&ada, room, "  GRÖSSE  ").await, Vec::<String>::new());
    assert_eq!(found(&ada, room, "größe MEET").await.len(), 1);
    assert_eq!(found(&ada, room, "gate").await, Vec::<String>::new());
    assert_eq!(found(&ada, room, " ").await, Vec::<String>::new());
    let numbered = found(&ada, room, "message 6").await;
    // Words count wherever they stand: whatever has a 6 in it.
    assert_eq!(numbered.len(), 214);
    assert_eq!(
        (numbered[0].as_str(), numbered[213].as_str()),
        ("message 699", "message 6")
    );
    bea.hear("message 699").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_settings_and_prefs_outlast_a_restart() {
    let (ada, _bea, room) = pair("Kept").await;
    let bea_id = id_of(&ada, room, "Bea").await;
    let draft = |to, text: &str| Draft {
        room,
        to,
        text: text.to_owned(),
    };
    for one in [draft(None, "see you at"), draft(Some(bea_id), "psst")] {
        ada.node.set_draft(one).await.unwrap();
    }
    ada.node
        .set_draft(draft(None, "see you at 9"))
        .await
        .unwrap();
    ada.node.set_setting("theme", "dark").await.unwrap();
    ada.node.set_setting("language", "ar").await.unwrap();
    ada.node.set_setting("language", "").await.unwrap();
    let prefs = RoomPrefs {
        favourite: true,
        muted: true,
    };
    ada.node.set_prefs(room, prefs).await.unwrap();

    let ada = Device::reopen(ada.shut().await).await;
    let mut drafts = ada.node.drafts().await.unwrap();
    drafts.sort_by_key(|d| d.to.is_some());
    assert_eq!(
        drafts,
        [draft(None, "see you at 9"), draft(Some(bea_id), "psst")]
    );
    let settings = ada.node.settings().await.unwrap();
    assert_eq!(settings, [("theme".to_owned(), "dark".to_owned())].into());
    assert_eq!(ada.node.rooms().await.unwrap()[0].prefs, prefs);

    let long = ada.node.set_setting("x", &"y".repeat(2000)).await;
    assert_eq!(long.unwrap_err().code, ErrorCode::SettingTooLong);
    for n in 0..63 {
        ada.node.set_setting(&format!("s{n}"), "1").await.unwrap();
    }
    let many = ada.node.set_setting("one more", "1").await;
    assert_eq!(many.unwrap_err().code, ErrorCode::SettingTooLong);

    ada.node.set_draft(draft(Some(bea_id), "")).await.unwrap();
    assert_eq!(ada.node.drafts().await.unwrap().len(), 1);
    ada.node.leave(room).await.unwrap();
    assert_eq!(ada.node.drafts().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_confirm_nothing() {
    let ada = Device::new("Ada").await;
    let mut bea = Device::with_receipts("Bea", Receipts::OnDelivery).await;
    let room = ada.node.create_room("Quiet").await.unwrap();
    bea.join(&ada.code(room).await).await;
    bea.node.set_setting("receipts", "off").await.unwrap();
    let unseen = ada.say(room, "one").await;
    bea.hear("one").await;
    bea.node.set_setting("receipts", "on").await.unwrap();
    let seen = ada.say(room, "two").await;
    bea.hear("two").await;
    // Confirming counts for everything before it, so that only the order tells.
    let mut ada = ada;
    let first = ada
        .wait("a receipt", |e| matches!(e, Event::Receipt { .. }))
        .await;
    let ids = [unseen, seen];
    assert!(matches!(first, Event::Receipt { message, .. } if ids.contains(&message)));
    let heard = ada
        .seen
        .iter()
        .position(|e| matches!(e, Event::Receipt { .. }));
    let sent = ada
        .seen
        .iter()
        .position(|e| matches!(e, Event::Message(m) if m.id == seen));
    assert!(heard > sent, "none came before the second was said");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_can_be_left_and_read() {
    let (ada, mut bea, room) = pair("Left").await;
    ada.say(room, "before").await;
    bea.hear("before").await;
    bea.node.leave_and_keep(room).await.unwrap();
    ada.misses(room, "Bea").await;
    ada.say(room, "after").await;
    let line = bea.node.rooms().await.unwrap().remove(0);
    assert!(line.left && line.removed);
    assert_eq!(bea.texts(room).await, ["before"]);
    let said = bea.node.send(room, "hello?").await;
    assert_eq!(said.unwrap_err().code, ErrorCode::Removed);

    let bea = Device::reopen(bea.shut().await).await;
    assert_eq!(bea.texts(room).await, ["before"]);
    bea.node.leave(room).await.unwrap();
    assert_eq!(bea.node.rooms().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moderators_rename_a_room() {
    let (ada, bea, room) = pair("Camp 7").await;
    let refused = bea.node.rename_room(room, "Mine").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotAllowed);
    let empty = ada.node.rename_room(room, " ").await;
    assert_eq!(empty.unwrap_err().code, ErrorCode::NameEmpty);
    ada.node.rename_room(room, "Camp 8").await.unwrap();
    let called = |wanted: &'static str, device: &Device| {
        let node = device.node.clone();
        async move {
            until("the new name", async || {
                let rooms = node.rooms().await.unwrap();
                (rooms[0].name == wanted).then_some(())
            })
            .await;
        }
    };
    called("Camp 8", &bea).await;
    let bea_id = id_of(&ada, room, "Bea").await;
    ada.node
        .set_role(room, bea_id, Role::Moderator)
        .await
        .unwrap();
    until("Bea to moderate", async || {
        let rooms = bea.node.rooms().await.unwrap();
        (rooms[0].role == Some(Role::Moderator)).then_some(())
    })
    .await;
    bea.node.rename_room(room, "Camp 9").await.unwrap();
    called("Camp 9", &ada).await;
    same_room(room, &[&ada, &bea]).await;
    // A joiner is told the name of now.
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    called("Camp 9", &cyd).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_invites_are_listed() {
    let (ada, bea, room) = pair("Invites").await;
    let made = ada.node.invite(room, TTL, 3).await.unwrap();
    let poster = InviteOptions {
        ttl: Duration::from_secs(3 * 24 * 3600),
        uses: None,
        poster: true,
    };
    let poster = bea.node.invite_with(room, poster).await.unwrap();
    let printed = Invite::from_link(&poster.link).unwrap();
    assert_eq!((printed.addresses.len(), printed.port), (0, 0));
    let listed = until("both codes", async || {
        let invites = ada.node.invites(room).await.unwrap();
        // The one by which Bea came is open, too.
        (invites.len() == 3).then_some(invites)
    })
    .await;
    let find = |id| listed.iter().find(|i| i.id == id).unwrap();
    assert_eq!((find(made.id).uses, find(made.id).poster), (Some(3), false));
    assert_eq!((find(poster.id).uses, find(poster.id).poster), (None, true));
    assert_eq!(find(poster.id).by, id_of(&ada, room, "Bea").await);
    // Nobody looks for a room without an address yet, and that is said.
    let cyd = Device::new("Cyd").await;
    let joined = cyd.node.join(&poster.link).await;
    assert_eq!(joined.unwrap_err().code, ErrorCode::NobodyNear);

    ada.node.revoke(room, made.id).await.unwrap();
    let left = ada.node.invites(room).await.unwrap();
    assert!(!left.iter().any(|i| i.id == made.id));
    let storage = ada.node.storage().await.unwrap();
    assert_eq!(storage.rooms[0].room, room);
    assert!(storage.rooms[0].events >= 5 && storage.rooms[0].bytes > 1_000);
}

/// A history that comes in while everybody talks has many holes for a while, more than are kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_came_in_with_too_many_holes_is_whole_at_the_next_start() {
    let ada = Device::new("Ada").await;
    let room = ada.node.create_room("Holes").await.unwrap();
    let count = 2 * RANGES_MAX + 40;
    for n in 0..count {
        ada.say(room, &n.to_string()).await;
    }
    let whole = ada.node.heads(room).await.unwrap();
    let ada = ada.shut().await;
    let holes = {
        let key = sealed::key_of(&ada.folder().join("profile.key")).unwrap();
        let path = ada.folder().join("profile/store");
        let mut store = SledStore::open_in(&path, sealed::options(&key)).unwrap().0;
        let tag = store.rooms().unwrap().remove(0);
        let mut rows = Vec::new();
        for log in store.held(tag).unwrap() {
            let (to, all) = (Seq(u64::MAX), usize::MAX);
            let log = store.range(tag, log.author, log.stream, Seq::FIRST, to, all);
            rows.extend(log.unwrap());
        }
        store.drop_room(tag).unwrap();
        // Every other one first.
        rows.sort_by_key(|row| row.key.seq.0 % 2);
        for part in rows.chunks(COMMIT_WRITES_MAX / 2) {
            let part: Vec<_> = part.iter().cloned().map(Write::Event).collect();
            store.commit(&part).unwrap();
        }
        let logs = store.held(tag).unwrap();
        let log = logs
            .iter()
            .find(|log| log.stream == Stream::CONTENT)
            .unwrap();
        log.events - log.ranges.count()
    };
    assert!(holes > 0, "nothing was forgotten");
    let ada = Device::reopen(ada).await;
    let again = ada.node.heads(room).await.unwrap();
    assert_eq!((again.events, again.digest), (whole.events, whole.digest));
}

/// Of a room that was read to its end a start looks at few of the newest events, which may all be something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_message_is_found_at_a_start_under_many_reactions() {
    let (ada, mut bea, room) = pair("Reactions").await;
    let last = ada.say(room, "the last word").await;
    bea.hear("the last word").await;
    for n in 0..40 {
        let sign = if n % 2 == 0 { "👍" } else { "🙏" };
        ada.node.react(room, last, sign).await.unwrap();
    }
    same_room(room, &[&ada, &bea]).await;
    bea.node.mark_seen(room, last).await.unwrap();
    for device in [ada, bea] {
        let device = Device::reopen(device.shut().await).await;
        let rooms = device.node.rooms().await.unwrap();
        let shown = rooms[0].last.as_ref().map(|message| message.text.as_str());
        assert_eq!((shown, rooms[0].unread), (Some("the last word"), 0));
    }
}
