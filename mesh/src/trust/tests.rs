use peddlenet_crypto::{AuthorKey, Draft, EpochKeys, seal_event};
use peddlenet_wire::{Capped, EventHash, SignedEvent, ids::Digest};

use super::*;

const ME: AuthorId = AuthorId([1; 32]);
const ADA: AuthorId = AuthorId([2; 32]);
const BEA: AuthorId = AuthorId([3; 32]);
const CYD: AuthorId = AuthorId([4; 32]);

fn people(names: &[(AuthorId, &str)]) -> Trust {
    let mut trust = Trust::new(ME);
    for (author, name) in names {
        trust.note_name(*author, &Name::new(name));
    }
    trust
}

fn verify(trust: &mut Trust, author: AuthorId, name: &str) {
    trust.change(author, |e| {
        e.verified = Some(Verified {
            since: Timestamp(7),
            name: Name::new(name),
        });
    });
}

#[test]
fn two_names_of_one_shape_are_both_marked_and_nobody_else() {
    let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (BEA, "Bea")]);
    assert_eq!(trust.lookalike(ADA), Lookalike::No);
    let touched = trust.note_name(CYD, &Name::new("Аdа"));
    assert_eq!(touched, BTreeSet::from([ADA]));
    assert_eq!(trust.lookalike(ADA), Lookalike::Alike);
    assert_eq!(trust.lookalike(CYD), Lookalike::Alike);
    assert_eq!(trust.lookalike(BEA), Lookalike::No);
    let touched = trust.note_name(CYD, &Name::new("Cyd"));
    assert_eq!(touched, BTreeSet::from([ADA]));
    assert_eq!(trust.lookalike(ADA), Lookalike::No);
    trust.note_name(CYD, &Name::new("bea"));
    trust.retain_names(|author| author != CYD);
    assert_eq!(trust.lookalike(BEA), Lookalike::No);
}

#[test]
fn a_verified_member_is_never_marked_and_who_imitates_them_is_strongly() {
    let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (CYD, "Аdа"), (BEA, "me.")]);
    verify(&mut trust, ADA, "Ada");
    assert_eq!(trust.lookalike(ADA), Lookalike::No);
    assert_eq!(trust.lookalike(CYD), Lookalike::Imitates(ADA));
    assert_eq!(trust.lookalike(BEA), Lookalike::Imitates(ME));
    trust.note_name(ADA, &Name::new("Ada Lovelace"));
    assert_eq!(
        trust.lookalike(CYD),
        Lookalike::Imitates(ADA),
        "the name of then counts, too"
    );
    verify(&mut trust, CYD, "Аdа");
    assert_eq!(trust.lookalike(CYD), Lookalike::No);
}

#[test]
fn writing_to_another_key_under_a_verified_name_waits_for_a_confirmation() {
    let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (BEA, "Bea")]);
    assert_eq!(trust.may_write_to(ADA), Ok(()));
    verify(&mut trust, ADA, "Ada");
    assert_eq!(trust.may_write_to(ADA), Ok(()));
    trust.note_name(BEA, &Name::new("ADA"));
    let refused = trust.may_write_to(BEA).expect_err("another key");
    assert_eq!(refused.code, ErrorCode::KeyChanged);
    assert!(refused.message.contains("“Ada”"), "{}", refused.message);

    trust.change(BEA, |e| e.confirmed = Some(Name::new("ADA")));
    assert_eq!(trust.may_write_to(BEA), Ok(()));
    trust.note_name(CYD, &Name::new("Cyd"));
    verify(&mut trust, CYD, "Cyd");
    trust.note_name(BEA, &Name::new("Cyd"));
    let again = trust
        .may_write_to(BEA)
        .expect_err("confirmed under another name");
    assert_eq!(again.code, ErrorCode::KeyChanged);
    trust.note_name(BEA, &Name::new("Me"));
    assert_eq!(
        trust.may_write_to(BEA),
        Ok(()),
        "my own name is nobody's I verified"
    );
}

#[test]
fn an_entry_survives_its_encoding_and_an_empty_one_is_forgotten() {
    let entry = Entry {
        verified: Some(Verified {
            since: Timestamp(9),
            name: Name::new("Ada"),
        }),
        muted: true,
        blocked: false,
        confirmed: Some(Name::new("Bea")),
    };
    let bytes = entry.to_bytes().expect("something to remember");
    assert_eq!(Entry::from_bytes(&bytes), Ok(entry));
    assert_eq!(Entry::default().to_bytes(), None);
    assert_eq!(Entry::from_bytes(&[0xa0]), Ok(Entry::default()));
    assert!(Entry::from_bytes(&[0; ENTRY_MAX + 1]).is_err());
}

fn event(key: &AuthorKey, seq: u64, clock: u64, text: &str) -> SignedEvent {
    let previous = match seq {
        1 => EventHash::ZERO,
        _ => EventHash([8; 32]),
    };
    let draft = Draft {
        room: RoomTag([4; 16]),
        stream: Stream::CONTENT,
        seq: Seq(seq),
        previous,
        clock: Hlc::at(Timestamp(clock)),
        parents: Capped::default(),
        membership: Digest::ZERO,
    };
    let epoch = EpochKeys::from_seeds([2; 32], [3; 32]);
    seal_event(&draft, key, &epoch, [9; 24], text.as_bytes()).expect("it can be sealed")
}

#[test]
fn of_a_frozen_author_both_branches_are_shown_up_to_their_end() {
    let key = AuthorKey::from_seed([5; 32]);
    let fork = |seq, clock| {
        let (l, r) = ("left", "right");
        ForkProof::new(&event(&key, seq, clock, l), &event(&key, seq, clock, r)).expect("a proof")
    };
    let mut trust = Trust::new(ME);
    let shows = |trust: &Trust, stream, seq, clock| {
        let mut header = event(&key, seq, clock, "x").header().clone();
        header.stream = stream;
        trust.shows(&header)
    };
    assert!(shows(&trust, Stream::CONTENT, 500, 500));
    assert_eq!(trust.take_fork(&fork(10, 100)), Some(true));
    assert_eq!(trust.take_fork(&fork(10, 100)), None, "told once");
    assert!(shows(&trust, Stream::CONTENT, 9, 90));
    assert!(shows(&trust, Stream::CONTENT, 73, 900));
    assert!(!shows(&trust, Stream::CONTENT, 74, 900));
    assert!(shows(&trust, Stream(2), 3, 100) && !shows(&trust, Stream(2), 4, 101));
    assert!(
        shows(&trust, Stream::MEMBERSHIP, 4, 101),
        "the fold of membership judges its own"
    );

    assert_eq!(
        trust.take_fork(&fork(5, 50)),
        Some(false),
        "an earlier place counts"
    );
    assert!(shows(&trust, Stream::CONTENT, 68, 900));
    assert!(!shows(&trust, Stream::CONTENT, 69, 900));
    assert_eq!(trust.take_fork(&fork(20, 200)), None);
    assert_eq!(trust.fork(key.id()).map(ForkProof::seq), Some(Seq(5)));
}

#[test]
fn a_blocked_member_is_not_shown_and_a_muted_one_does_not_notify() {
    let key = AuthorKey::from_seed([5; 32]);
    let said = event(&key, 1, 1, "hello");
    let mut trust = Trust::new(ME);
    assert!(trust.shows(said.header()) && trust.notifies(key.id()));
    trust.change(key.id(), |e| e.muted = true);
    assert!(trust.shows(said.header()) && !trust.notifies(key.id()));
    trust.change(key.id(), |e| e.blocked = true);
    assert!(!trust.shows(said.header()));
    trust.change(key.id(), |e| *e = Entry::default());
    assert!(trust.shows(said.header()) && trust.notifies(key.id()));
}
