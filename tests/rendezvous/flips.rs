//! An operator that changes what it passes on.

use peddlenet_mesh::{ErrorCode, Reach};

use crate::{
    device::{Device, until},
    operator::{HOST, Operator, Said, garbage, random},
};

/// Numbers that look random and come again with the same seed (splitmix64, Steele and others 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A message with one bit of each of its bytes turned, cut off, and with something added.
fn changes(said: &Said, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for at in 0..said.data.len() {
        let mut data = said.data.clone();
        data[at] ^= 1 << (dice.roll() % 8);
        out.push(data);
    }
    let len = u64::try_from(said.data.len()).unwrap();
    let cut = usize::try_from(dice.roll() % len).unwrap();
    out.push(said.data[..cut].to_vec());
    out.push([&said.data[..], &[0]].concat());
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_message_brings_nobody_together_and_the_unchanged_one_does() {
    let seed = match std::env::var("PEDDLENET_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => u64::from_be_bytes(random()),
    };
    println!("PEDDLENET_SEED={seed}");
    let operator = Operator::start().await;
    let mut ada = Device::at_server("Ada", operator.url()).await;
    let room = ada.node.create_room("Bent").await.unwrap();
    let code = ada.code(room).await;
    operator.holds(HOST, 2).await;
    let bea = Device::at_server("Bea", operator.url()).await;

    // The question, changed in every way, is nobody's.
    let mut dice = Dice(seed);
    operator.passes(move |said| changes(said, &mut dice));
    let error = bea.node.join(&code).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NobodyNear);
    all_is_garbage(&operator, &ada, 100).await;
    let asked = operator.changed(HOST);

    // The question comes through. The answer is changed.
    let mut dice = Dice(seed + 1);
    operator.passes(move |said| match said.from {
        HOST => changes(said, &mut dice),
        _ => vec![said.data.clone()],
    });
    let before = operator.said().len();
    let error = bea.node.join(&code).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NobodyNear);
    let answer = operator.hear(before, |said| said.from == HOST).await;
    let positions = u64::try_from(answer.data.len()).unwrap();
    until("Bea to have heard the changed answers", async || {
        (garbage(&bea.node).await >= positions).then_some(())
    })
    .await;
    assert_eq!(
        garbage(&ada.node).await,
        asked,
        "Bea's questions were genuine"
    );
    let stats = ada.node.stats().await.unwrap().0;
    assert_eq!((stats.links_up, stats.joins_admitted), (0, 0));
    assert_eq!(ada.node.members(room).await.unwrap().len(), 1);

    operator.passes_all();
    let mut bea = bea;
    assert_eq!(bea.join(&code).await.via, "server");
    ada.say(room, "straight").await;
    bea.hear("straight").await;

    // What members say to each other is no easier to change.
    let bea = bea.shut().await;
    until("Ada to miss Bea", async || {
        ada.node.links().await.unwrap().is_empty().then_some(())
    })
    .await;
    let mut dice = Dice(seed + 2);
    operator.passes(move |said| changes(said, &mut dice));
    let bea = Device::reopen(bea).await;
    all_is_garbage(&operator, &ada, asked + 100).await;
    for device in [&ada, &bea] {
        assert_eq!(device.node.links().await.unwrap(), []);
    }
    operator.passes_all();
    bea.sees(room, "Ada", Reach::Linked).await;
    bea.say(room, "straight again").await;
    ada.hear("straight again").await;
}

/// Waits until at least so many changed messages came to the host, and each is counted.
async fn all_is_garbage(operator: &Operator, host: &Device, least: u64) {
    until("the host to have counted what was changed", async || {
        let counted = garbage(&host.node).await;
        (counted >= least && counted == operator.changed(HOST)).then_some(())
    })
    .await;
}
