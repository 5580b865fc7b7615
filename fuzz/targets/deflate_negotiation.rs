//! Any offers to a server and any answers to a client, of any configuration: what a server agrees
//! on keeps to the offer, and what our own client offered it accepts; both ends then mean the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pieces::steered;
use revoir_proto::Role;
use revoir_proto::extension::deflate::{
    Compressor, Decompressor, DeflateConfig, Direction, WindowBits,
};
use revoir_proto::extension::{Extension, Extensions, Param};

fuzz_target!(|data: &[u8]| {
    let Some(([client, server], text)) = steered(data) else {
        return;
    };
    let (client, server) = (config(client), config(server));
    if let Ok(elements) = Extension::parse_lines([text]) {
        let (agreed, answer) = Extensions::with_deflate(server).accept(&elements);
        assert_eq!(agreed.deflate.is_some(), !answer.is_empty());
        assert!(answer.len() <= 1);
        for element in answer.iter().flat_map(Extension::params) {
            let offered = elements.iter().flat_map(Extension::params);
            let names: Vec<_> = offered.map(Param::name).collect();
            // RFC 7692 section 7.1.2.2: the only one that must have been offered.
            assert!(element.name() != "client_max_window_bits" || names.contains(&element.name()));
        }
        if let Ok(agreed) = Extensions::with_deflate(client).check(&elements)
            && let Some(agreed) = agreed.deflate
        {
            assert!(agreed.receive(Role::Client).max_window_bits <= client.receive.max_window_bits);
            assert!(agreed.send(Role::Client).max_window_bits <= client.send.max_window_bits);
        }
    }
    // Our own ends.
    let (agreed, answer) = Extensions::with_deflate(server).accept(&[client.offer()]);
    let checked = Extensions::with_deflate(client)
        .check(&answer)
        .expect("we understand ourselves");
    let (Some(here), Some(there)) = (agreed.deflate, checked.deflate) else {
        panic!("we decline ourselves");
    };
    for sender in [Role::Client, Role::Server] {
        let (by, to) = if sender == Role::Client {
            (there, here)
        } else {
            (here, there)
        };
        let (mut sends, mut receives) = (
            Compressor::new(by.send(sender), by.level),
            Decompressor::new(to.receive(sender.peer())),
        );
        for message in [text, &text.repeat(40)[..], text] {
            let (mut wire, mut plain) = (Vec::new(), Vec::new());
            sends.compress(message, &mut wire);
            assert_eq!(
                receives.decompress(&wire, true, message.len(), &mut plain),
                Ok(())
            );
            assert!(plain == message);
        }
    }
});

fn config(bits: u8) -> DeflateConfig {
    let direction = |takeover: bool, bits: u8| Direction {
        context_takeover: takeover,
        max_window_bits: WindowBits::new(9 + bits % 7).expect("9 to 15"),
    };
    DeflateConfig {
        level: bits % 11,
        send: direction(bits & 1 != 0, bits >> 2),
        receive: direction(bits & 2 != 0, bits >> 4),
    }
}
