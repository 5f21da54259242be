//! The program as a person starts it: it says where it listens, and its log gives nobody away.

use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const TAG: &str = "5eed5eed5eed5eed5eed5eed5eed5eed";

#[tokio::test]
async fn the_log_holds_no_tags_and_no_addresses() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_peddlenet-signaling"))
        .args(["--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
        .env("PEDDLENET_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = timeout(Duration::from_secs(10), lines.next_line());
    let line = line.await.expect("it starts").unwrap().unwrap();
    let address = line.strip_prefix("listening on ").unwrap();

    let (mut socket, _) = connect_async(format!("ws://{address}/v1")).await.unwrap();
    for request in [
        format!(r#"{{"v":1,"type":"join","tag":"{TAG}"}}"#),
        format!(r#"{{"type":"send","tag":"{TAG}","data":"c2VhbGVk"}}"#),
        format!("nonsense {TAG}"),
    ] {
        socket.send(Message::Text(request.into())).await.unwrap();
    }
    // Joined, then the answer to the nonsense.
    assert!(socket.next().await.unwrap().is_ok() && socket.next().await.unwrap().is_ok());
    socket.close(None).await.unwrap();
    // The server's half of the goodbye; after it the end of the connection has been logged or is about to be.
    while let Some(Ok(_)) = socket.next().await {}
    tokio::time::sleep(Duration::from_millis(200)).await;

    program.kill().await.unwrap();
    let mut log = String::new();
    let mut stderr = program.stderr.take().unwrap();
    stderr.read_to_string(&mut log).await.unwrap();
    assert!(log.contains("a device is gone"), "trace is on: {log}");
    for secret in ["5eed", "127.0.0.1", "c2VhbGVk", "nonsense"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
