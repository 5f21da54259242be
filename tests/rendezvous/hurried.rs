//! A connection to a server that may not have outlived a change of the network.

use std::time::Duration;

use futures_util::StreamExt;
use peddlenet_peer::{News, Rendezvous, ServerUrl};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::accept_async;

/// Before a connection that says nothing is given up all by itself.
const SOON: Duration = Duration::from_secs(30);

/// A server that lets people in and answers pings; connection by connection, told to fall silent.
async fn server() -> (ServerUrl, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let (silence, mut silenced) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut lost = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            loop {
                tokio::select! {
                    message = socket.next() => if !matches!(message, Some(Ok(_))) { break },
                    told = silenced.recv() => {
                        // It stays open, and nobody reads from it: as behind a router that is gone.
                        lost.push(socket);
                        if told.is_none() { return }
                        break;
                    }
                }
            }
        }
    });
    (ServerUrl::parse(&url).unwrap(), silence)
}

async fn next(news: &mut mpsc::Receiver<News>, within: Duration) -> Option<News> {
    timeout(within, news.recv()).await.ok().flatten()
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_after_a_change_of_the_network_is_made_anew() {
    let (url, silence) = server().await;
    let (rendezvous, mut news) = Rendezvous::start(url);
    assert!(matches!(next(&mut news, SOON).await, Some(News::Up)));
    // One that outlived the change stays.
    rendezvous.hurry();
    let after = next(&mut news, Duration::from_secs(5)).await;
    assert!(after.is_none(), "{after:?}");

    silence.send(()).await.unwrap();
    rendezvous.hurry();
    let down = next(&mut news, SOON).await;
    assert!(matches!(down, Some(News::Down { .. })), "{down:?}");
    rendezvous.hurry();
    let up = next(&mut news, SOON).await;
    assert!(matches!(up, Some(News::Up)), "{up:?}");
}
