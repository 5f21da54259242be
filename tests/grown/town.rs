//! Processes of one room: started, joined by one code, looked at, killed, started again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use peddlenet_tests::node_process::{Launch, NodeEvent, NodeProcess, str_of};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a state that no event announces may take to come about: far beyond what two cores need.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// How often such a state is looked at. Each look asks every process.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Joins under way at a time (count): a code on a beamer, with two cores for both ends of all.
const JOINS_AT_ONCE: usize = 6;

/// How often a joiner scans before it counts as refused (count).
const SCANS: usize = 5;

/// A room and the processes in it. The first one made the room and showed its code.
pub(crate) struct Town {
    pub(crate) room: String,
    homes: Vec<Home>,
    _folder: TempDir,
}

struct Home {
    name: String,
    author: String,
    state: State,
}

enum State {
    Up(NodeProcess),
    Down(NodeProcess),
    /// Only while it changes from one to the other.
    Moving,
}

/// How the links of all who run lie, by index.
pub(crate) type Links = BTreeMap<usize, BTreeSet<usize>>;

impl Town {
    /// A room of `size`, all but one of them let in by one code.
    pub(crate) fn grown(name: &str, size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let launch = |n: usize| {
            let name = format!("n{n}");
            (name.clone(), folder.path().join(name))
        };
        let mut nodes = Vec::new();
        for n in 0..size {
            let (name, data) = launch(n);
            nodes.push((
                name.clone(),
                NodeProcess::start(Launch::new(&name, data)).unwrap(),
            ));
        }
        println!("{size} processes up after {:?}", started.elapsed());
        let started = Instant::now();
        let first = &nodes[0].1;
        let made = first.ok("create_room", json!({"name": name})).unwrap();
        let room = str_of(&made, "room").to_owned();
        let code = first
            .ok("invite", json!({"room": room, "uses": 40}))
            .unwrap();
        for joiners in nodes[1..].chunks(JOINS_AT_ONCE) {
            let joins: Vec<_> = joiners
                .iter()
                .map(|(_, node)| node.post("join", json!({"link": code["link"]})).unwrap())
                .collect();
            for ((name, node), join) in joiners.iter().zip(joins) {
                let mut joined = node.reply(join).unwrap();
                for _ in 1..SCANS {
                    // On a machine that does other things, too, five seconds may not be enough.
                    let Err(why) = joined else { break };
                    println!("{name} scans once more: {}", why.code);
                    let again = json!({"link": code["link"]});
                    joined = node.request("join", again).unwrap();
                }
                assert!(joined.is_ok(), "{name}: {joined:?}");
            }
        }
        println!("{} joined after {:?}", size - 1, started.elapsed());
        let mut town = Self {
            room,
            homes: Vec::new(),
            _folder: folder,
        };
        let authors = town.authors(&nodes[0].1, size);
        for (name, node) in nodes {
            town.homes.push(Home {
                author: authors[&name].clone(),
                name,
                state: State::Up(node),
            });
        }
        town
    }

    /// Who is who, once one node knows all names.
    fn authors(&self, node: &NodeProcess, size: usize) -> BTreeMap<String, String> {
        until(&format!("the names of {size}"), || {
            let members = self.members(node);
            let named = members.iter().filter(|m| !str_of(m, "name").is_empty());
            let names: BTreeMap<_, _> = named
                .map(|m| (str_of(m, "name").to_owned(), str_of(m, "author").to_owned()))
                .collect();
            (names.len() == size)
                .then_some(names)
                .ok_or(members.len().to_string())
        })
    }

    fn members(&self, node: &NodeProcess) -> Vec<Value> {
        let members = node.ok("members", json!({"room": self.room})).unwrap();
        members["members"].as_array().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.homes.len()
    }

    pub(crate) fn node(&self, n: usize) -> &NodeProcess {
        match &self.homes[n].state {
            State::Up(node) | State::Down(node) => node,
            State::Moving => unreachable!("it moves inside one call"),
        }
    }

    pub(crate) fn name(&self, n: usize) -> &str {
        &self.homes[n].name
    }

    /// Those who run.
    pub(crate) fn up(&self) -> Vec<usize> {
        let is_up = |n: &usize| matches!(self.homes[*n].state, State::Up(_));
        (0..self.len()).filter(is_up).collect()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, n: usize) {
        let home = &mut self.homes[n];
        if let State::Up(mut node) = std::mem::replace(&mut home.state, State::Moving) {
            node.kill().unwrap();
            home.state = State::Down(node);
        }
    }

    /// Starts one that was killed, on its old port.
    pub(crate) fn restart(&mut self, n: usize) {
        let home = &mut self.homes[n];
        if let State::Down(node) = std::mem::replace(&mut home.state, State::Moving) {
            home.state = State::Up(node.restart().unwrap());
        }
    }

    /// The links among those who run, as both ends see them.
    pub(crate) fn links(&self) -> Links {
        let up = self.up();
        let number = |author: &str| self.homes.iter().position(|h| h.author == author);
        let mut links = Links::new();
        for n in &up {
            let linked: BTreeSet<_> = self
                .members(self.node(*n))
                .iter()
                .filter(|m| str_of(m, "state") == "linked")
                .filter_map(|m| number(str_of(m, "author")))
                .filter(|other| other != n && up.contains(other))
                .collect();
            links.insert(*n, linked);
        }
        links
    }

    /// Waits until the links are as wanted; `Err` says what is missing.
    pub(crate) fn until_linked(
        &self,
        what: &str,
        wanted: impl Fn(&Links) -> Result<(), String>,
    ) -> Links {
        let started = Instant::now();
        let links = until(what, || {
            let links = self.links();
            wanted(&links).map(|()| links)
        });
        let degrees: Vec<_> = links.values().map(BTreeSet::len).collect();
        println!(
            "{what} after {:?}; links each: {degrees:?}",
            started.elapsed()
        );
        links
    }

    /// Waits until all who run hold the same events, and gives how many.
    pub(crate) fn until_same(&self, what: &str) -> u64 {
        let started = Instant::now();
        let events = until(what, || {
            let heads: Vec<_> = self
                .up()
                .into_iter()
                .map(|n| {
                    let heads = self.node(n).ok("heads", json!({"room": self.room}));
                    heads.unwrap()
                })
                .collect();
            let same = heads.iter().all(|h| h["digest"] == heads[0]["digest"]);
            let held: Vec<_> = heads
                .iter()
                .map(|h| h["events"].as_u64().unwrap())
                .collect();
            same.then(|| held[0]).ok_or(format!("{held:?}"))
        });
        println!("{what} after {:?}: {events} events", started.elapsed());
        events
    }

    /// What everybody holds, and what some did.
    fn state_of(&self, some: &[usize]) -> String {
        let ask = |n: &usize, cmd: &str, fields| self.node(*n).ok(cmd, fields).unwrap_or_default();
        let heads = self.up().into_iter().map(|n| {
            let heads = ask(&n, "heads", json!({"room": self.room}));
            format!("n{n} {} {}", heads["events"], heads["digest"])
        });
        let details = some.iter().map(|n| {
            let (links, stats) = (ask(n, "links", json!({})), ask(n, "stats", json!({})));
            format!("n{n} {links} {stats}")
        });
        heads.chain(details).collect::<Vec<_>>().join("\n")
    }

    /// Each of these says something; everybody who runs hears all of it, once. Gives how long each
    /// message took to each listener.
    pub(crate) fn all_say(&self, what: &str, speakers: &[usize]) -> Vec<Duration> {
        let mut said = Vec::new();
        for n in speakers {
            let text = format!("{what} from {}", self.name(*n));
            let fields = json!({"room": self.room, "text": text});
            let at = Instant::now();
            self.node(*n).ok("send", fields).unwrap();
            said.push((*n, text, at));
        }
        let mut took = Vec::new();
        for (speaker, text, at) in &said {
            for listener in self.up().iter().filter(|n| *n != speaker) {
                let node = self.node(*listener);
                let what = format!("“{text}” at {}", self.name(*listener));
                let heard = node.wait_for_event(&what, |e| is_message(e, text));
                let heard = heard.unwrap_or_else(|e| {
                    // Long lists of events hide what counts: who has what, and what it did.
                    eprintln!("{}", self.state_of(&[*speaker, *listener]));
                    panic!(
                        "{what}: {}",
                        e.to_string().lines().next().unwrap_or_default()
                    )
                });
                took.push(heard.at.saturating_duration_since(*at));
            }
        }
        for n in self.up() {
            let events = self.node(n).events();
            for (speaker, text, _) in said.iter().filter(|(speaker, ..)| *speaker != n) {
                let times = events.iter().filter(|e| is_message(e, text)).count();
                assert_eq!(times, 1, "{text} of {speaker} at {}", self.name(n));
            }
        }
        print_times(what, &mut took);
        took
    }
}

pub(crate) fn is_message(event: &NodeEvent, text: &str) -> bool {
    event.kind() == "message" && event.str("text") == text
}

/// Whether everybody can be reached from everybody.
pub(crate) fn is_connected(links: &Links) -> bool {
    let Some(first) = links.keys().next() else {
        return true;
    };
    let (mut seen, mut next) = (BTreeSet::from([*first]), vec![*first]);
    while let Some(n) = next.pop() {
        next.extend(links[&n].iter().filter(|other| seen.insert(**other)));
    }
    seen.len() == links.len()
}

/// The links that are left when these are gone.
pub(crate) fn without(links: &Links, gone: &[usize]) -> Links {
    let stays = |n: &usize| !gone.contains(n);
    links
        .iter()
        .filter(|(n, _)| stays(n))
        .map(|(n, to)| (*n, to.iter().copied().filter(stays).collect()))
        .collect()
}

pub(crate) fn print_times(what: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent).div_ceil(100).max(1) - 1];
    println!(
        "{what}: {} deliveries, p50 {:?}, p99 {:?}, last {:?}",
        took.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// Waits until a look gives something; what it said last is in the failure.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(missing) => assert!(started.elapsed() < PATIENCE, "waited for {what}: {missing}"),
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
