//! An operator that writes everything down, for a whole life of a room.

use data_encoding::{BASE32, BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use peddlenet_crypto::{AuthorKey, InviteKeys};
use peddlenet_mesh::Reach;
use peddlenet_tests::raw::enter;
use peddlenet_wire::{Invite, rendezvous::Signal};

use crate::{
    device::{Device, same_room, until},
    operator::{HOST, Operator, key_of},
};

const ROOM: &str = "Zwetschgenknödel";
const NAMES: [&str; 2] = ["Philippa-Quetzal", "Ottokar-Umlauf"];
const TEXTS: [&str; 5] = [
    "the ferryman drinks plum brandy at eleven",
    "nobody suspects the accordion player",
    "private: the key is under the third flowerpot",
    "code revoked, new moon at the quarry",
    "back again with wet boots",
];

/// Who comes in to look, and is removed.
const VISITOR: [u8; 32] = [8; 32];

/// What the operator must not find, by name.
struct Needles(Vec<(String, Vec<u8>)>);

impl Needles {
    fn text(&mut self, text: &str) {
        self.0.push((format!("“{text}”"), text.as_bytes().to_vec()));
    }

    /// The bytes, and as they may be written.
    fn bytes(&mut self, what: &str, bytes: &[u8]) {
        let mut add = |how: &str, needle: Vec<u8>| self.0.push((format!("{what} {how}"), needle));
        add("as it is", bytes.to_vec());
        add("in hex", HEXLOWER.encode(bytes).into_bytes());
        add("in HEX", HEXUPPER.encode(bytes).into_bytes());
        for (how, encoding) in [
            ("base64", BASE64),
            ("base64url", BASE64URL),
            ("base32", BASE32),
        ] {
            let text = encoding.encode(bytes);
            add(how, text.trim_end_matches('=').as_bytes().to_vec());
        }
    }

    fn code(&mut self, link: &str) {
        let code = Invite::from_link(link).unwrap();
        self.bytes("an invite's secret", &code.secret.0);
        let key = InviteKeys::from_secret(&code.secret).public();
        self.bytes("an invite's public key", &key.0);
        self.bytes("a certificate", &code.fingerprint.0);
        self.text(link);
    }

    /// Those of which something was found.
    fn found(&self, frames: &[Vec<u8>]) -> Vec<&str> {
        let is_there = |needle: &[u8]| frames.iter().any(|frame| contains(frame, needle));
        let found = self.0.iter().filter(|(_, needle)| is_there(needle));
        found.map(|(what, _)| what.as_str()).collect()
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_gets_names_nobody_and_nothing() {
    let operator = Operator::start().await;
    let mut ada = Device::at_server(NAMES[0], operator.url()).await;
    let mut bea = Device::at_server(NAMES[1], operator.url()).await;
    let mut needles = Needles(Vec::new());
    for text in [&[ROOM][..], &NAMES, &TEXTS].concat() {
        needles.text(text);
    }
    let room = ada.node.create_room(ROOM).await.unwrap();
    needles.bytes("the room", &room.0);
    let code = ada.code(room).await;
    needles.code(&code);
    operator.holds(HOST, 2).await;
    bea.join(&code).await;
    ada.say(room, TEXTS[0]).await;
    bea.hear(TEXTS[0]).await;
    bea.say(room, TEXTS[1]).await;
    ada.hear(TEXTS[1]).await;
    let to = ada.sees(room, NAMES[1], Reach::Linked).await;
    ada.node.dm(room, to.author, TEXTS[2]).await.unwrap();
    bea.hear(TEXTS[2]).await;
    for member in ada.node.members(room).await.unwrap() {
        needles.bytes("a member", &member.author.0);
    }
    let code_of_bea = bea.code(room).await;
    needles.code(&code_of_bea);
    // What only members are told is told to one, over a link.
    let visitor = AuthorKey::from_seed(VISITOR);
    let scanned = Invite::from_link(&code).unwrap();
    let welcome = enter(&scanned, &visitor).await.unwrap().welcome;
    needles.bytes("the room's tag", &welcome.events[0].header().room.0);
    for epoch in welcome.epochs.iter() {
        needles.bytes("an epoch", &epoch.epoch.0);
        needles.bytes("an epoch's key", &epoch.member);
    }

    let first = ada.heads(room).await.epoch;
    needles.bytes("the first epoch", &first.0);
    let invite = InviteKeys::from_secret(&Invite::from_link(&code).unwrap().secret).public();
    ada.node.revoke(room, invite).await.unwrap();
    let visitor = visitor.id();
    ada.node.remove(room, visitor).await.unwrap();
    let second = until("another epoch for both", async || {
        let (a, b) = (ada.heads(room).await.epoch, bea.heads(room).await.epoch);
        (a != first && a == b).then_some(a)
    })
    .await;
    needles.bytes("the second epoch", &second.0);
    ada.say(room, TEXTS[3]).await;
    bea.hear(TEXTS[3]).await;

    let bea = bea.shut().await;
    let bea = Device::reopen(bea).await;
    bea.sees(room, NAMES[0], Reach::Linked).await;
    bea.say(room, TEXTS[4]).await;
    ada.hear(TEXTS[4]).await;
    same_room(room, &[&ada, &bea]).await;
    needles.code(&bea.code(room).await);

    let said = operator.said();
    assert!(said.len() >= 5, "{} messages", said.len());
    assert_eq!(needles.found(&operator.frames()), <[&str; 0]>::default());
    the_search_finds(&operator, &code);
}

/// A search that finds nothing must be one that would.
fn the_search_finds(operator: &Operator, code: &str) {
    let frames = operator.frames();
    let said = operator.said();
    let mut there = Needles(Vec::new());
    there.text("\"join\"");
    there.text(&HEXLOWER.encode(&said[0].tag.0));
    there
        .0
        .push(("what was said".into(), said[0].data[10..26].to_vec()));
    assert_eq!(there.found(&frames).len(), there.0.len());
    // The certificate is in it, under the code's key.
    let code = Invite::from_link(code).unwrap();
    let opened = said.iter().filter(|s| s.from == HOST);
    let opened = opened.filter_map(|s| key_of(&code, s.tag)?.open(&s.data).ok());
    let opened: Vec<_> = opened.collect();
    let mut certificate = Needles(Vec::new());
    certificate.bytes("the certificate", &code.fingerprint.0);
    assert_eq!(certificate.found(&opened), ["the certificate as it is"]);
    let is_place = |bytes: &Vec<u8>| matches!(Signal::from_bytes(bytes), Ok(Signal::Place(_)));
    assert!(opened.iter().any(is_place));
}
