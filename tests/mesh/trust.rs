//! Whom a person trusts: verification both ways, names that imitate, mute and block, forked logs.

use peddlenet_mesh::{AuthorId, Error, ErrorCode, Event, Lookalike, Member, RoomId};

use crate::{
    device::{Device, forked, pair, put_back, same_room, until},
    line::{ada_and_bea, cyd_joins, has_ipv6},
};

/// Modules of a drawn code are at least that wide (pixels).
const PNG_MIN: u32 = 300;

async fn named(device: &Device, room: RoomId, name: &str) -> Member {
    let what = format!("{} to know {name}", device.name);
    until(&what, async || device.member(room, name).await).await
}

async fn id_of(device: &Device, room: RoomId, name: &str) -> AuthorId {
    named(device, room, name).await.author
}

/// The code as it comes out of a camera: drawn, and read back.
fn photographed(link: &str) -> String {
    let png = peddlenet_qr::png(link, PNG_MIN).unwrap();
    let texts = peddlenet_qr::decode_image(&png).unwrap();
    assert_eq!(texts, [link]);
    texts.into_iter().next().unwrap()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: ErrorCode) -> String {
    let error = outcome.expect_err("it is refused");
    assert_eq!(error.code, code, "{}", error.message);
    error.message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_verify_each_other_by_a_scan_in_each_direction() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (to_bea, to_ada) = (
        id_of(&ada, room, "Bea").await,
        id_of(&bea, room, "Ada").await,
    );
    let on_ada = ada.node.verify_code(room, to_bea).await.unwrap();
    let on_bea = bea.node.verify_code(room, to_ada).await.unwrap();
    assert_eq!(on_ada.digits, on_bea.digits);
    assert_eq!(on_ada.digits.len(), 60);
    assert!(!on_ada.verified && !on_bea.verified);

    let scanned = photographed(&on_bea.link);
    let whose = ada.node.verify_scan(room, &scanned, Some(to_bea)).await;
    assert_eq!(whose, Ok(to_bea));
    assert!(named(&ada, room, "Bea").await.verified.is_some());
    assert!(
        named(&bea, room, "Ada").await.verified.is_none(),
        "one direction"
    );
    let scanned = photographed(&on_ada.link);
    assert_eq!(bea.node.verify_scan(room, &scanned, None).await, Ok(to_ada));
    assert!(named(&bea, room, "Ada").await.verified.is_some());

    // It is kept, and can be taken back.
    let ada = Device::reopen(ada.shut().await).await;
    let verified = named(&ada, room, "Bea").await.verified.unwrap();
    assert_eq!(verified.name, "Bea");
    ada.node.set_verified(room, to_bea, false).await.unwrap();
    assert!(named(&ada, room, "Bea").await.verified.is_none());
    ada.node.set_verified(room, to_bea, true).await.unwrap();
    assert!(named(&ada, room, "Bea").await.verified.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_does_not_fit_verifies_nobody() {
    let (ada, bea, room) = pair("Camp 7").await;
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    let (bea_id, cyd_id) = (
        id_of(&ada, room, "Bea").await,
        id_of(&ada, room, "Cyd").await,
    );
    let ada_id = id_of(&bea, room, "Ada").await;
    let scan = async |text: &str, expected| ada.node.verify_scan(room, text, expected).await;

    // Cyd's screen, where Bea's was meant.
    let by_cyd = cyd.node.verify_code(room, ada_id).await.unwrap().link;
    let said = refused(scan(&by_cyd, Some(bea_id)).await, ErrorCode::VerifyMismatch);
    assert!(said.contains("Cyd") && said.contains("Bea"), "{said}");
    // What Bea shows to Cyd is not for Ada: somebody in between could hold it up.
    let cyd_for_bea = id_of(&bea, room, "Cyd").await;
    let for_cyd = bea.node.verify_code(room, cyd_for_bea).await.unwrap().link;
    refused(scan(&for_cyd, None).await, ErrorCode::VerifyMismatch);
    // One sign changed.
    let by_bea = bea.node.verify_code(room, ada_id).await.unwrap().link;
    let mut bent = by_bea.clone().into_bytes();
    bent[100] = if bent[100] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).unwrap();
    refused(scan(&bent, None).await, ErrorCode::VerifyMismatch);
    // One's own, another room's, something else, cut off.
    let own = ada.node.verify_code(room, bea_id).await.unwrap().link;
    refused(scan(&own, None).await, ErrorCode::OwnCode);
    let other = bea.node.create_room("Elsewhere").await.unwrap();
    ada.join(&bea.code(other).await).await;
    let there = id_of(&bea, other, "Ada").await;
    let elsewhere = bea.node.verify_code(other, there).await.unwrap().link;
    let said = refused(scan(&elsewhere, None).await, ErrorCode::VerifyMismatch);
    assert!(said.contains("another room"), "{said}");
    refused(scan(&ada.code(room).await, None).await, ErrorCode::NotACode);
    refused(scan(&by_bea[..60], None).await, ErrorCode::CodeDamaged);
    // Nobody was marked, and nobody can verify oneself or a stranger.
    for name in ["Bea", "Cyd"] {
        assert!(named(&ada, room, name).await.verified.is_none());
    }
    refused(
        ada.node.set_verified(room, ada_id, true).await,
        ErrorCode::BadRequest,
    );
    let nobody = AuthorId([7; 32]);
    refused(
        ada.node.verify_code(room, nobody).await,
        ErrorCode::MemberUnknown,
    );
    refused(
        ada.node.block(room, nobody, true).await,
        ErrorCode::MemberUnknown,
    );
    assert_eq!(scan(&by_bea, Some(bea_id)).await, Ok(bea_id));
    assert!(named(&ada, room, "Cyd").await.author == cyd_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_name_under_another_key_waits_for_a_confirmation() {
    let (mut ada, bea, room) = pair("Camp 7").await;
    let bea_id = id_of(&ada, room, "Bea").await;
    ada.node.set_verified(room, bea_id, true).await.unwrap();
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    let cyd_id = id_of(&ada, room, "Cyd").await;
    assert_eq!(ada.node.may_write_to(room, cyd_id).await, Ok(()));

    // The last letter is Cyrillic, and there is something invisible in between.
    cyd.node.set_name("Be\u{200b}а").await.unwrap();
    let imitates = |e: &Event| {
        matches!(e, Event::Member { member, .. }
            if member.author == cyd_id && member.lookalike == Lookalike::Imitates(bea_id))
    };
    ada.wait("Cyd to be marked", imitates).await;
    let said = refused(
        ada.node.may_write_to(room, cyd_id).await,
        ErrorCode::KeyChanged,
    );
    println!("{said}");
    refused(
        ada.node.set_verified(room, cyd_id, true).await,
        ErrorCode::KeyChanged,
    );
    let ada_for_cyd = id_of(&cyd, room, "Ada").await;
    let by_cyd = cyd.node.verify_code(room, ada_for_cyd).await.unwrap();
    refused(
        ada.node.verify_scan(room, &by_cyd.link, Some(cyd_id)).await,
        ErrorCode::KeyChanged,
    );
    let shown = ada.node.verify_code(room, cyd_id).await.unwrap();
    assert!(
        shown.key_changed && shown.digits == by_cyd.digits,
        "it can be compared"
    );
    let members = ada.node.members(room).await.unwrap();
    let of = |id| members.iter().find(|m| m.author == id).unwrap();
    assert_eq!(of(bea_id).lookalike, Lookalike::No);
    assert!(of(cyd_id).key_changed && !of(bea_id).key_changed);
    // Bea, who verified nobody, sees two that look alike.
    let alike = |e: &Event| {
        matches!(e, Event::Member { member, .. }
            if member.author == cyd_id && member.lookalike != Lookalike::No)
    };
    let mut bea = bea;
    bea.wait("Cyd to be marked", alike).await;

    ada.node.confirm_key(room, cyd_id).await.unwrap();
    let ada = Device::reopen(ada.shut().await).await;
    assert_eq!(ada.node.may_write_to(room, cyd_id).await, Ok(()));
    let again = ada.node.verify_scan(room, &by_cyd.link, None).await;
    assert_eq!(again, Ok(cyd_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_member_is_relayed_but_not_shown_nor_confirmed() {
    if !has_ipv6() {
        return;
    }
    // Ada -- Bea -- Cyd, and it is Bea who blocks Ada.
    let mut line = ada_and_bea().await;
    let mut cyd = cyd_joins(&line).await;
    let room = line.room;
    let first = line.ada.say(room, "before").await;
    line.bea.hear("before").await;
    cyd.hear("before").await;
    let ada_id = id_of(&line.bea, room, "Ada").await;
    let bea_id = id_of(&line.ada, room, "Bea").await;
    let confirmed = |e: &Event| matches!(e, Event::Receipt { message, seen_by, .. } if *message == first && seen_by.contains(&bea_id));
    line.ada.wait("Bea's receipt", confirmed).await;
    line.bea.node.block(room, ada_id, true).await.unwrap();
    assert!(named(&line.bea, room, "Ada").await.blocked);
    assert_eq!(line.bea.texts(room).await, Vec::<String>::new());
    let summary = line.bea.node.rooms().await.unwrap().remove(0);
    assert_eq!((summary.last, summary.unread), (None, 0));

    let unseen = line.ada.say(room, "while blocked").await;
    cyd.hear("while blocked").await;
    let by_cyd = cyd.say(room, "from Cyd").await;
    line.bea.hear("from Cyd").await;
    same_room(room, &[&line.ada, &line.bea, &cyd]).await;
    assert_eq!(line.bea.texts(room).await, ["from Cyd"]);
    assert_eq!(
        cyd.texts(room).await,
        ["before", "while blocked", "from Cyd"]
    );
    let shown = |e: &Event| matches!(e, Event::Message(m) if m.text == "while blocked");
    assert!(!line.bea.seen.iter().any(shown), "no event");

    // Bea's receipts reach Cyd, who confirms Ada's; Ada hears of Cyd's only.
    let confirmed = |e: &Event| matches!(e, Event::Receipt { message, seen_by, .. } if *message == by_cyd && seen_by.contains(&bea_id));
    cyd.wait("Bea's receipt", confirmed).await;
    let cyd_id = id_of(&line.ada, room, "Cyd").await;
    let by_one = |e: &Event| matches!(e, Event::Receipt { message, seen_by, .. } if *message == unseen && seen_by.contains(&cyd_id));
    line.ada.wait("Cyd's receipt", by_one).await;
    let history = line.ada.everything(room).await;
    let seen_by = |id| {
        let message = history.iter().find(|m| m.id == id).unwrap();
        message.seen_by.clone()
    };
    assert!(
        seen_by(first).contains(&bea_id),
        "what was confirmed before stays so"
    );
    assert!(!seen_by(unseen).contains(&bea_id));

    // It lasts, and ends when Bea says so.
    let bea = Device::reopen(line.bea.shut().await).await;
    assert_eq!(bea.texts(room).await, ["from Cyd"]);
    bea.node.block(room, ada_id, false).await.unwrap();
    assert_eq!(
        bea.texts(room).await,
        ["before", "while blocked", "from Cyd"]
    );
    let page = bea.node.history(room, None, 2).await.unwrap();
    assert_eq!(page.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_full_though_a_blocked_member_wrote_most_of_it() {
    let (ada, mut bea, room) = pair("Camp 7").await;
    for n in 0..4 {
        bea.say(room, &format!("Bea {n}")).await;
        for m in 0..30 {
            ada.say(room, &format!("Ada {n} {m}")).await;
        }
        bea.hear(&format!("Ada {n} 29")).await;
    }
    let ada_id = id_of(&bea, room, "Ada").await;
    bea.node.block(room, ada_id, true).await.unwrap();
    let page = bea.node.history(room, None, 3).await.unwrap();
    let texts: Vec<_> = page.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["Bea 1", "Bea 2", "Bea 3"]);
    let older = bea.node.history(room, Some(page[0].id), 3).await.unwrap();
    assert_eq!(older.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_member_is_shown_but_not_counted() {
    let (ada, mut bea, room) = pair("Camp 7").await;
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    ada.say(room, "one").await;
    bea.hear("one").await;
    let unread = async |bea: &Device| bea.node.rooms().await.unwrap().remove(0).unread;
    let ada_id = id_of(&bea, room, "Ada").await;
    bea.node.mute(room, ada_id, true).await.unwrap();
    assert!(named(&bea, room, "Ada").await.muted);
    assert_eq!(unread(&bea).await, 0);
    ada.say(room, "two").await;
    bea.hear("two").await;
    assert_eq!(unread(&bea).await, 0);
    cyd.say(room, "three").await;
    bea.hear("three").await;
    let bea = Device::reopen(bea.shut().await).await;
    assert_eq!(bea.texts(room).await, ["one", "two", "three"]);
    assert!(named(&bea, room, "Ada").await.muted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_device_that_hears_first_goes_on_without_a_fork() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (backup, mut bea) = put_back(ada, bea, room).await;
    let mut ada = Device::reopen(backup).await;
    ada.hear("left").await;
    ada.say(room, "right").await;
    bea.hear("right").await;
    same_room(room, &[&ada, &bea]).await;
    assert_eq!(bea.texts(room).await, ["trunk", "left", "right"]);
    assert!(!named(&bea, room, "Ada").await.forked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forked_author_is_told_once_frozen_and_stays_so() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (mut ada, mut bea) = forked(ada, bea, room).await;
    let ada_id = id_of(&bea, room, "Ada").await;
    let is_fork =
        |e: &Event| matches!(e, Event::Fork { author, me, .. } if *author == ada_id && !me);
    bea.wait("the proof", is_fork).await;
    ada.wait("its own proof", |e| {
        matches!(e, Event::Fork { me: true, .. })
    })
    .await;
    assert!(named(&bea, room, "Ada").await.forked);
    for device in [&bea, &ada] {
        let both = async || {
            let mut texts = device.texts(room).await;
            texts.sort();
            (texts == ["left", "right", "trunk"]).then_some(())
        };
        until("both branches", both).await;
    }
    let said = refused(ada.node.send(room, "more").await, ErrorCode::OwnFork);
    println!("{said}");
    bea.say(room, "what happened?").await;
    ada.hear("what happened?").await;
    assert_eq!(bea.seen.iter().filter(|e| is_fork(e)).count(), 1, "once");

    // A restart forgets neither; and a device that joins later finds out by itself.
    let mut bea = Device::reopen(bea.shut().await).await;
    assert!(named(&bea, room, "Ada").await.forked);
    let mut cyd = Device::new("Cyd").await;
    cyd.join(&bea.code(room).await).await;
    cyd.wait("the proof", is_fork).await;
    bea.say(room, "hello Cyd").await;
    cyd.hear("hello Cyd").await;
    bea.hear("hello Cyd").await;
    assert!(!bea.seen.iter().any(is_fork), "not told again");
}
