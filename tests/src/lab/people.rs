//! A room whose members run on the lab's hosts: joined, talked in, compared.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::node_process::{NodeEvent, NodeProcess, str_of};

/// How long a state that no event announces may take: far beyond what two cores need.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often such a state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A wait that the story's output mentions.
const WORTH_SAYING: Duration = Duration::from_secs(2);
/// How often a joiner scans before it counts as refused (count). Where a third is lost one way, about
/// half of the scans end with `no_answer` after their five seconds.
const SCANS: usize = 12;

/// A room, by its id.
#[derive(Debug, Clone)]
pub struct Room(String);

impl Room {
    /// That node makes a room.
    ///
    /// # Errors
    /// The node said no.
    pub fn made_by(node: &NodeProcess, name: &str) -> Result<Self> {
        let made = node.ok("create_room", json!({"name": name}))?;
        Ok(Self(str_of(&made, "room").to_owned()))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// A code that a member shows.
    ///
    /// # Errors
    /// The node said no.
    pub fn code(&self, member: &NodeProcess) -> Result<String> {
        let invite = member.ok("invite", json!({"room": self.0}))?;
        Ok(str_of(&invite, "link").to_owned())
    }

    /// Those scan a code that a member shows, one after the other, each again where it failed.
    ///
    /// # Errors
    /// One did not get in.
    pub fn let_in<'n>(
        &self,
        member: &NodeProcess,
        joiners: impl IntoIterator<Item = &'n NodeProcess>,
    ) -> Result<()> {
        let code = self.code(member)?;
        for joiner in joiners {
            let mut scans = 1;
            while let Err(why) = joiner.request("join", json!({"link": code}))? {
                eprintln!("{} scans once more: {}", joiner.name(), why.code);
                scans += 1;
                if scans > SCANS {
                    bail!("{} did not get in: {why:?}", joiner.name());
                }
            }
        }
        Ok(())
    }

    /// One says something, and each of those hears it.
    ///
    /// # Errors
    /// Somebody did not hear it.
    pub fn is_heard<'n>(
        &self,
        text: &str,
        speaker: &NodeProcess,
        listeners: impl IntoIterator<Item = &'n NodeProcess>,
    ) -> Result<()> {
        self.say(speaker, text)?;
        for listener in listeners {
            self.hear(listener, text)?;
        }
        Ok(())
    }

    /// Each says something, and all others hear it.
    ///
    /// # Errors
    /// Somebody did not hear something.
    pub fn all_talk(&self, what: &str, nodes: &[&NodeProcess]) -> Result<()> {
        let text = |node: &NodeProcess| format!("{what}, says {}", node.name());
        for speaker in nodes {
            self.say(speaker, &text(speaker))?;
        }
        for speaker in nodes {
            for listener in nodes.iter().filter(|n| n.pid() != speaker.pid()) {
                self.hear(listener, &text(speaker))?;
            }
        }
        Ok(())
    }

    /// One says something; gives the message's id.
    ///
    /// # Errors
    /// The node said no.
    pub fn say(&self, node: &NodeProcess, text: &str) -> Result<String> {
        let sent = node.ok("send", json!({"room": self.0, "text": text}))?;
        Ok(str_of(&sent, "message").to_owned())
    }

    /// One hears something in this room, or has heard it.
    ///
    /// # Errors
    /// It did not.
    pub fn hear(&self, node: &NodeProcess, text: &str) -> Result<NodeEvent> {
        let is_it = |e: &NodeEvent| {
            e.kind() == "message" && e.str("room") == self.0 && e.str("text") == text
        };
        let started = Instant::now();
        let heard = node.wait_for_event(&format!("“{text}”"), is_it)?;
        if started.elapsed() > WORTH_SAYING {
            eprintln!(
                "“{text}” at {} after {:.1?}",
                node.name(),
                started.elapsed()
            );
        }
        Ok(heard)
    }

    /// What a node holds of the room: the digest of its heads.
    ///
    /// # Errors
    /// The node said no.
    pub fn heads(&self, node: &NodeProcess) -> Result<Value> {
        node.ok("heads", json!({"room": self.0}))
    }

    /// Waits until all of these hold the same.
    ///
    /// # Errors
    /// They did not come to.
    pub fn until_same(&self, nodes: &[&NodeProcess]) -> Result<()> {
        until("all heads equal", || {
            let mut held = Vec::new();
            for node in nodes {
                held.push(self.heads(node)?);
            }
            let digests: BTreeSet<_> = held.iter().map(|h| str_of(h, "digest")).collect();
            if digests.len() == 1 {
                return Ok(Ok(()));
            }
            let events: Vec<_> = held.iter().map(|h| h["events"].to_string()).collect();
            Ok(Err(format!("events held: {}", events.join(" "))))
        })
    }

    /// A member as a node sees it, by name.
    ///
    /// # Errors
    /// There is nobody of that name.
    pub fn member(&self, node: &NodeProcess, name: &str) -> Result<Value> {
        let members = node.ok("members", json!({"room": self.0}))?;
        let members = members["members"].as_array();
        let found = members
            .into_iter()
            .flatten()
            .find(|m| str_of(m, "name") == name);
        found.cloned().with_context(|| format!("no member {name}"))
    }

    /// Waits until a node knows a member of that name, and gives who it is.
    ///
    /// # Errors
    /// It did not come to.
    pub fn until_known(&self, node: &NodeProcess, name: &str) -> Result<Value> {
        until(&format!("a member called {name}"), || {
            let found = self.member(node, name);
            Ok(found
                .map(|m| m["author"].clone())
                .map_err(|e| e.to_string()))
        })
    }

    /// Waits until a node sees a member in that state.
    ///
    /// # Errors
    /// It did not come to.
    pub fn until_state(&self, node: &NodeProcess, name: &str, state: &str) -> Result<()> {
        until(&format!("{name} to be {state}"), || {
            // A name is an event of its own, and can come after its owner's first words.
            Ok(match self.member(node, name) {
                Ok(is) if str_of(&is, "state") == state => Ok(()),
                Ok(is) => Err(is.to_string()),
                Err(unknown) => Err(unknown.to_string()),
            })
        })
    }
}

/// Waits until a node has lost a link since that moment.
///
/// # Errors
/// It has not.
pub fn lost_a_link(node: &NodeProcess, since: Instant) -> Result<NodeEvent> {
    let is_down = |e: &NodeEvent| e.kind() == "link" && e.str("state") == "down" && e.at > since;
    let down = node.wait_for_event("a link to be lost", is_down)?;
    let took = down.at - since;
    eprintln!("{} lost a link after {took:.1?}", node.name());
    Ok(down)
}

/// By which ways its links came up, in order.
///
/// # Errors
/// The node said no.
pub fn ways(node: &NodeProcess) -> Result<Vec<String>> {
    let links = node.ok("links", json!({}))?;
    let all = links["links"].as_array().into_iter().flatten();
    let mut ways: Vec<_> = all
        .map(|link| link["via"].as_str().unwrap_or_default().to_owned())
        .collect();
    ways.sort();
    Ok(ways)
}

/// How many links a node has.
///
/// # Errors
/// The node said no.
pub fn links(node: &NodeProcess) -> Result<usize> {
    let links = node.ok("links", json!({}))?;
    Ok(links["links"].as_array().map_or(0, Vec::len))
}

/// Looks until a look gives something; what it said last is in the error.
///
/// # Errors
/// It did not come about, or a look failed.
pub fn until<T>(
    what: &str,
    mut look: impl FnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        match look()? {
            Ok(found) => {
                eprintln!("{what} after {:.1?}", started.elapsed());
                return Ok(found);
            }
            Err(missing) if started.elapsed() > PATIENCE => {
                bail!("waited for {what}: {missing}")
            }
            Err(_) => std::thread::sleep(LOOK_EVERY),
        }
    }
}
