//! A rendezvous server in hostile hands: it speaks the protocol, and does as a test says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use data_encoding::{BASE64, HEXLOWER};
use futures_util::{SinkExt, StreamExt};
use peddlenet_crypto::{Day, InviteKeys, MeetingKey, MeetingTag};
use peddlenet_mesh::ServerUrl;
use peddlenet_wire::{Invite, Timestamp};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use crate::device::DEADLINE;

/// The connection of whoever came first: in these tests, the room's creator.
pub(crate) const HOST: usize = 0;

/// Something a device said to the others on a tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Which connection, in the order in which they came.
    pub(crate) from: usize,
    pub(crate) tag: MeetingTag,
    pub(crate) data: Vec<u8>,
}

/// What the others hear in place of something.
type Pass = Box<dyn FnMut(&Said) -> Vec<Vec<u8>> + Send>;

/// The server while it runs.
pub(crate) struct Operator {
    url: ServerUrl,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    state: Mutex<State>,
    news: Notify,
}

struct State {
    connections: Vec<Connection>,
    said: Vec<Said>,
    frames: Vec<Vec<u8>>,
    pass: Pass,
}

struct Connection {
    out: mpsc::UnboundedSender<Message>,
    tags: BTreeSet<MeetingTag>,
    /// Messages to it that its tag's other holders didn't say as they are (count).
    changed: u64,
}

impl Operator {
    /// An honest one, for a start.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                connections: Vec::new(),
                said: Vec::new(),
                frames: Vec::new(),
                pass: Box::new(as_it_is),
            }),
            news: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self {
            url: ServerUrl::parse(&url).unwrap(),
            shared,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> &ServerUrl {
        &self.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// From now on others hear this in place of what is said.
    pub(crate) fn passes(&self, pass: impl FnMut(&Said) -> Vec<Vec<u8>> + Send + 'static) {
        self.state().pass = Box::new(pass);
    }

    pub(crate) fn passes_all(&self) {
        self.passes(as_it_is);
    }

    pub(crate) fn passes_nothing(&self) {
        self.passes(|_| Vec::new());
    }

    /// All that was said so far.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.state().said.clone()
    }

    /// Every message so far as it came, and the data in it.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        self.state().frames.clone()
    }

    /// How many devices came so far.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections.len()
    }

    /// The tags that a connection holds.
    pub(crate) fn tags(&self, of: usize) -> BTreeSet<MeetingTag> {
        let state = self.state();
        state
            .connections
            .get(of)
            .map_or_else(BTreeSet::new, |c| c.tags.clone())
    }

    /// Messages to a connection that nobody said as they are (count).
    pub(crate) fn changed(&self, to: usize) -> u64 {
        self.state().connections[to].changed
    }

    /// Says something to one device, as if somebody on that tag had.
    pub(crate) fn tell(&self, to: usize, tag: MeetingTag, data: &[u8]) {
        self.state().connections[to].tell(tag, data);
    }

    /// Says to one device that it holds a tag with others.
    pub(crate) fn claim_joined(&self, to: usize, tag: MeetingTag, peers: u64) {
        self.state().connections[to].joined(tag, peers);
    }

    /// Offers a STUN server to one device.
    pub(crate) fn claim_ice(&self, to: usize, stun: &str) {
        let ice = json!({"v": 1, "type": "ice", "stun": stun, "ttl_s": 60});
        self.state().connections[to].write(&ice);
    }

    /// Waits until a connection holds so many tags.
    pub(crate) async fn holds(&self, who: usize, tags: usize) {
        self.wait("a device with its tags", |state| {
            let of = state.connections.get(who);
            of.filter(|c| c.tags.len() >= tags).map(|_| ())
        })
        .await;
    }

    /// Waits until something is said, beginning with the message of that number.
    pub(crate) async fn hear(&self, skip: usize, wanted: impl Fn(&Said) -> bool) -> Said {
        self.wait("something said", |state| {
            state
                .said
                .iter()
                .skip(skip)
                .find(|said| wanted(said))
                .cloned()
        })
        .await
    }

    async fn wait<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let news = self.shared.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                let found = look(&self.state());
                match found {
                    Some(found) => return found,
                    None => news.await,
                }
            }
        };
        let waited = timeout(DEADLINE, waiting).await;
        waited.unwrap_or_else(|_| panic!("the operator waited for {what}"))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn as_it_is(said: &Said) -> Vec<Vec<u8>> {
    vec![said.data.clone()]
}

impl Connection {
    fn write(&self, message: &Value) {
        // One that is gone hears nothing.
        let _ = self.out.send(Message::text(message.to_string()));
    }

    fn tell(&self, tag: MeetingTag, data: &[u8]) {
        let (tag, data) = (HEXLOWER.encode(&tag.0), BASE64.encode(data));
        self.write(&json!({"v": 1, "type": "data", "tag": tag, "data": data}));
    }

    fn joined(&self, tag: MeetingTag, peers: u64) {
        let tag = HEXLOWER.encode(&tag.0);
        self.write(&json!({"v": 1, "type": "joined", "tag": tag, "peers": peers}));
    }
}

impl State {
    fn on_text(&mut self, from: usize, text: &str) {
        self.frames.push(text.as_bytes().to_vec());
        let message: Value = serde_json::from_str(text).expect("a device writes JSON");
        let tag = || {
            let tag = message["tag"].as_str().expect("with a tag");
            MeetingTag(HEXLOWER.decode(tag.as_bytes()).unwrap().try_into().unwrap())
        };
        match message["type"].as_str().expect("with a type") {
            "join" => {
                let tag = tag();
                let others = self.connections.iter().enumerate();
                let others = others.filter(|(at, c)| *at != from && c.tags.contains(&tag));
                let peers = u64::try_from(others.count()).unwrap();
                self.connections[from].tags.insert(tag);
                self.connections[from].joined(tag, peers);
            }
            "leave" => {
                let tag = tag();
                self.connections[from].tags.remove(&tag);
                let tag = HEXLOWER.encode(&tag.0);
                self.connections[from].write(&json!({"v": 1, "type": "left", "tag": tag}));
            }
            "ice" => self.connections[from].write(&json!({"v": 1, "type": "ice", "ttl_s": 3600})),
            "send" => {
                let data = message["data"].as_str().expect("with data");
                let data = BASE64.decode(data.as_bytes()).expect("in base64");
                self.frames.push(data.clone());
                let said = Said {
                    from,
                    tag: tag(),
                    data,
                };
                let heard = (self.pass)(&said);
                for (at, other) in self.connections.iter_mut().enumerate() {
                    if at != from && other.tags.contains(&said.tag) {
                        for data in &heard {
                            other.changed += u64::from(*data != said.data);
                            other.tell(said.tag, data);
                        }
                    }
                }
                self.said.push(said);
            }
            other => panic!("a device says {other}"),
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    let (mut sink, mut stream) = socket.split();
    let (out, mut waiting) = mpsc::unbounded_channel();
    let number = {
        let mut state = shared.state.lock().unwrap();
        state.connections.push(Connection {
            out,
            tags: BTreeSet::new(),
            changed: 0,
        });
        state.connections.len() - 1
    };
    let writing = tokio::spawn(async move {
        while let Some(message) = waiting.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = stream.next().await {
        if let Message::Text(text) = message {
            shared.state.lock().unwrap().on_text(number, &text);
            shared.news.notify_waiters();
        }
    }
    shared.state.lock().unwrap().connections[number]
        .tags
        .clear();
    shared.news.notify_waiters();
    writing.abort();
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

/// What whoever holds a code opens and seals the messages of a tag with; `None` if the tag is not that code's.
pub(crate) fn key_of(code: &Invite, tag: MeetingTag) -> Option<MeetingKey> {
    let invite = InviteKeys::from_secret(&code.secret).public();
    let keys = Day::around(now())
        .into_iter()
        .map(|day| MeetingKey::of_invite(&invite, day));
    keys.into_iter().find(|key| key.tag() == tag)
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// How many messages a device got through servers that no friend sealed.
pub(crate) async fn garbage(node: &peddlenet_mesh::Node) -> u64 {
    node.stats().await.unwrap().0.server_garbage
}
