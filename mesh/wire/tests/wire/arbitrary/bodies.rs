//! Any value of what is sealed inside events and records.

use super::*;

pub(crate) fn membership() -> impl Strategy<Value = Membership> {
    let history = prop_oneof![Just(History::Shared), Just(History::FromJoin)];
    let role = prop_oneof![Just(Role::Member), Just(Role::Moderator), Just(Role::Owner)];
    prop_oneof![
        (
            name(),
            name(),
            history,
            option::of(role.clone()),
            option::of(any::<u32>())
        )
            .prop_map(|(room_name, owner_name, history, inviters, retention_s)| {
                Membership::Create(Create {
                    room_name,
                    owner_name,
                    history,
                    inviters,
                    retention_s,
                })
            }),
        power(role.clone()),
        (invite_key(), timestamp(), any::<u32>()).prop_map(|(key, expires, uses)| {
            Membership::Invite(InviteOpened {
                key,
                expires,
                uses,
                poster: (uses % 2 == 0).then_some(true),
            })
        }),
        (author(), invite_key(), signature(), role).prop_map(|(author, invite, voucher, role)| {
            Membership::Admit(Admit {
                author,
                invite,
                voucher,
                role,
            })
        }),
        name().prop_map(|name| Membership::Profile(Profile { name })),
        invite_key().prop_map(|key| Membership::RevokeInvite(RevokeInvite { key })),
        (100_u16..).prop_map(Membership::Unknown),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    (seq(), seq(), event_hash()).prop_map(|(membership, content, content_hash)| Cut {
        membership,
        content,
        content_hash,
    })
}

fn boxes() -> impl Strategy<Value = Boxes> {
    let one = (any::<[u8; 8]>(), any::<[u8; 8]>()).prop_map(|(to, some)| KeyBox {
        to: AuthorShort(to),
        sealed: std::array::from_fn(|n| some[n % 8]),
    });
    vec(one, 0..limits::KEY_BOXES_MAX).prop_map(|boxes| Boxes::groups(&boxes).remove(0))
}

/// Kinds 5 to 11.
fn power(role: impl Strategy<Value = Role>) -> impl Strategy<Value = Membership> {
    let removal = || (author(), cut()).prop_map(|(author, cut)| Removal { author, cut });
    let known = capped(
        any::<[u8; 8]>().prop_map(EventShort),
        limits::REKEY_KNOWN_MAX,
    );
    prop_oneof![
        (author(), role, seq()).prop_map(|(author, role, after)| {
            Membership::SetRole(SetRole {
                author,
                role,
                after,
            })
        }),
        removal().prop_map(Membership::Remove),
        removal().prop_map(Membership::Ban),
        (epoch_id(), epoch_id(), known, boxes()).prop_map(|(epoch, after, known, boxes)| {
            Membership::Rekey(Rekey {
                epoch,
                after,
                known,
                boxes,
            })
        }),
        any::<bool>().prop_map(|closed| Membership::Close(power::Close { closed })),
        (any::<bool>(), option::of(pass())).prop_map(|(on, pass)| {
            let pass = pass.as_ref().map(Into::into);
            Membership::Backup(power::Backup { on, pass })
        }),
        (author(), author(), signature(), cut()).prop_map(|(from, to, consent, cut)| {
            Membership::Move(Move {
                from,
                to,
                consent,
                cut,
            })
        }),
        (epoch_id(), boxes())
            .prop_map(|(epoch, boxes)| Membership::KeyBoxes(KeyBoxes { epoch, boxes })),
        name().prop_map(|room_name| Membership::Rename(Rename { room_name })),
    ]
}

pub(crate) fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        (
            any::<String>(),
            option::of(event_hash()),
            vec(author(), 0..4)
        )
            .prop_map(|(text, reply_to, mentions)| {
                Content::Text(Text::new(&text).unwrap().about(reply_to, &mentions))
            }),
        (event_hash(), any::<String>())
            .prop_map(|(target, text)| Content::Edit(Edit::new(target, &text).unwrap())),
        event_hash().prop_map(|target| Content::Delete(Delete { target })),
        (event_hash(), "[a-z👍❤️]{0,5}")
            .prop_map(|(target, word)| Content::React(React::new(target, &word).unwrap())),
        (100_u16..).prop_map(Content::Unknown),
    ]
}

pub(crate) fn receipts() -> impl Strategy<Value = Receipts> {
    let entry = (author(), stream(), seq()).prop_map(|(author, stream, seq)| SeenUpTo {
        author,
        stream,
        seq,
    });
    capped(entry, 20).prop_map(|seen| Receipts { seen })
}

pub(crate) fn whereabouts() -> impl Strategy<Value = Whereabouts> {
    let address =
        (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| Address(SocketAddr::new(ip, port)));
    (
        capped(address, limits::ADDRESSES_MAX),
        fingerprint(),
        timestamp(),
    )
        .prop_map(|(addresses, fingerprint, expires)| Whereabouts {
            addresses,
            fingerprint,
            expires,
        })
}

pub(crate) fn meet() -> impl Strategy<Value = Meet> {
    let relay = option::of(any::<bool>());
    let told = (author(), any::<[u8; 8]>(), any::<bool>(), relay);
    (told, whereabouts()).prop_map(|((to, id, answer, relay), place)| Meet {
        to,
        id,
        answer,
        addresses: place.addresses,
        fingerprint: place.fingerprint,
        relay,
    })
}

pub(crate) fn grant() -> impl Strategy<Value = EpochGrant> {
    let keys = (
        any::<[u8; 32]>(),
        option::of(any::<[u8; 32]>()),
        any::<[u8; 32]>(),
    );
    (epoch_id(), keys).prop_map(|(epoch, (member, content, content_hash))| EpochGrant {
        epoch,
        member,
        content,
        content_hash,
    })
}
