//! Who asked for an execution, as far as fairness goes.

use std::net::IpAddr;

/// Those who share a place in the queue: no client is served at another's cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// The operator, at the command line.
    #[default]
    Local,
    /// Whoever has the key of this name.
    Key(String),
    /// Whoever connects from here, where no key is needed.
    Peer(IpAddr),
}

impl Client {
    /// The client at an address. Of IPv6 the first 64 bits count: the rest is one subscriber's to
    /// choose (RFC 4291, 2.5.4).
    pub fn at(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
            four @ IpAddr::V4(_) => four,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client_and_an_address_of_ipv4_another() {
        let at = |text: &str| Client::at(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1:2:3"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
