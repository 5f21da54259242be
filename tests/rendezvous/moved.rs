//! An old offer of a member's, kept back until the member is somewhere else.

use peddlenet_mesh::Reach;
use tokio::{net::UdpSocket, time::timeout};

use crate::{
    device::{DEADLINE, Device, until},
    operator::{HOST, Operator},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_offer_leads_to_dials_that_end() {
    let operator = Operator::start().await;
    let mut ada = Device::at_server("Ada", operator.url()).await;
    let room = ada.node.create_room("Moving").await.unwrap();
    let code = ada.code(room).await;
    operator.holds(HOST, 2).await;
    let bea = Device::at_server("Bea", operator.url()).await;
    bea.join(&code).await;
    let bea = bea.shut().await;
    until("Ada to miss Bea", async || {
        ada.node.links().await.unwrap().is_empty().then_some(())
    })
    .await;

    // Bea is there for a moment. The operator keeps what she says, and she goes.
    operator.passes_nothing();
    let before = operator.said().len();
    let bea = Device::reopen(bea).await;
    operator.hear(before, |said| said.from != HOST).await;
    // A greeting, and then an offer for Ada.
    until("two messages of Bea's", async || {
        let said = operator.said();
        (said[before..].iter().filter(|s| s.from != HOST).count() >= 2).then_some(())
    })
    .await;
    let bea = bea.shut().await;
    let kept: Vec<_> = operator.said()[before..].to_vec();

    // Somebody else has her address now.
    let squatter = UdpSocket::bind(bea.addr()).await.unwrap();
    for said in kept.iter().filter(|said| said.from != HOST) {
        for _ in 0..10 {
            operator.tell(HOST, said.tag, &said.data);
        }
    }
    let mut packet = [0; 2048];
    let dialled = timeout(DEADLINE, squatter.recv_from(&mut packet)).await;
    dialled.expect("Ada dials where Bea was").unwrap();
    until("Ada's dial to end", async || {
        let found = ada.node.diagnostics().await.unwrap();
        found
            .failures
            .iter()
            .any(|f| f.via == "server")
            .then_some(())
    })
    .await;
    assert_eq!(ada.node.links().await.unwrap(), []);
    let dials = ada.node.stats().await.unwrap().0.dials;
    assert!(dials <= 8, "{dials} dials");

    operator.passes_all();
    let mut bea = Device::reopen(bea.elsewhere()).await;
    bea.sees(room, "Ada", Reach::Linked).await;
    ada.say(room, "there you are").await;
    bea.hear("there you are").await;
    bea.say(room, "here I am").await;
    ada.hear("here I am").await;
}
