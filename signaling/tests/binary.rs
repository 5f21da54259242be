//! The program as a person starts it: it says where it listens, its log gives nobody away, and it stops in order.

mod local;

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use local::process::Program;
use local::{Client, PATIENCE, RED, get};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{client_async, connect_async};

const TAG: &str = "5eed5eed5eed5eed5eed5eed5eed5eed";

async fn talks(program: &Program) {
    let url = format!("ws://{}/v1", program.at[0]);
    let (mut socket, _) = connect_async(url).await.unwrap();
    for request in [
        format!(r#"{{"v":1,"type":"join","tag":"{TAG}"}}"#),
        format!(r#"{{"type":"send","tag":"{TAG}","data":"c2VhbGVk"}}"#),
        r#"{"type":"ice"}"#.to_owned(),
        format!("nonsense {TAG}"),
    ] {
        socket.send(Message::Text(request.into())).await.unwrap();
    }
    // Joined, the ways, then the answer to the nonsense.
    for _ in 0..3 {
        assert!(socket.next().await.unwrap().is_ok());
    }
    socket.close(None).await.unwrap();
    // The server's half of the goodbye.
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn the_log_holds_no_tags_and_no_addresses() {
    for format in ["text", "json"] {
        let args = ["--udp", "127.0.0.1:0", "--log", format];
        let program = Program::start(&args, 2).await;
        talks(&program).await;
        program.signal("TERM").await;
        let (status, log) = program.ended().await;
        assert!(status.success(), "{status}: {log}");
        assert!(log.contains("a device is gone"), "trace is on: {log}");
        for secret in ["5eed", "127.0.0.1", "c2VhbGVk", "nonsense", "username"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        if format == "json" {
            for line in log.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                assert!(line["level"].is_string() && line["fields"]["message"].is_string());
            }
        }
    }
}

#[tokio::test]
async fn sigterm_says_goodbye_to_everybody_and_ends_in_order() {
    let program = Program::start(&["--udp", "off", "--drain-s", "2"], 1).await;
    let address = program.at[0];
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = Client::to(address).await.unwrap();
        assert_eq!(client.join(RED).await["type"], "joined");
        clients.push(client);
    }
    program.signal("TERM").await;
    for client in &mut clients {
        assert_eq!(client.end().await, Some(1001));
    }
    let (status, log) = program.ended().await;
    assert!(status.success(), "{status}: {log}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_asks_twice_does_not_wait() {
    let program = Program::start(&["--udp", "off", "--drain-s", "3600"], 1).await;
    let mut client = Client::to(program.at[0]).await.unwrap();
    assert_eq!(client.join(RED).await["type"], "joined");
    program.signal("TERM").await;
    // The port is closed first, so the first signal was heard.
    let closed = async {
        while TcpStream::connect(program.at[0]).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap();
    program.signal("TERM").await;
    let (status, _) = program.ended().await;
    assert_eq!(status.code(), Some(1));
}

#[tokio::test]
async fn metrics_stand_on_a_port_of_their_own() {
    let program = Program::start(&["--udp", "127.0.0.1:0", "--metrics", "127.0.0.1:0"], 3).await;
    talks(&program).await;
    let answer = get(program.at[2], "/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for line in [
        "peddlenet_signaling_arrivals_total 1",
        "peddlenet_signaling_messages_total 4",
        "peddlenet_signaling_relayed_total 1",
        "peddlenet_signaling_refusals_total{code=\"malformed\"} 1",
        "peddlenet_signaling_turn_relays_now 0",
    ] {
        assert!(answer.lines().any(|it| it == line), "{line} in {answer}");
    }
    assert!(!answer.contains("5eed") && !answer.contains("127.0.0.1"));
    assert!(
        get(program.at[0], "/metrics")
            .await
            .starts_with("HTTP/1.1 404")
    );
}

#[tokio::test]
async fn tls_by_files_which_are_read_again_when_they_were_renewed() {
    let folder = std::env::temp_dir().join(format!("pn-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        roots
    };
    let first = renew();
    let [cert_arg, key_arg] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let args = ["--udp", "off", "--tls-cert", cert_arg, "--tls-key", key_arg];
    let program = Program::start(&args, 1).await;
    let joins = async |roots: &rustls::RootCertStore| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(program.at[0]).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .ok()?;
        let (mut socket, _) = client_async("wss://localhost/v1", stream).await.unwrap();
        let join = format!(r#"{{"type":"join","tag":"{TAG}"}}"#);
        socket.send(Message::Text(join.into())).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
        Some(answer.contains("joined"))
    };
    assert_eq!(joins(&first).await, Some(true));
    // Plain HTTP gets nothing.
    let plain = connect_async(format!("ws://{}/v1", program.at[0]));
    assert!(timeout(PATIENCE, plain).await.unwrap().is_err());

    let second = renew();
    program.signal("HUP").await;
    let renewed = async {
        while joins(&second).await != Some(true) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, renewed)
        .await
        .expect("the new certificate");
    // A broken file leaves what there is in use.
    std::fs::write(&key, "broken").unwrap();
    program.signal("HUP").await;
    assert_eq!(joins(&second).await, Some(true));
    std::fs::remove_dir_all(&folder).unwrap();
}
