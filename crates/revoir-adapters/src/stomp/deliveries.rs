//! Messages that the client has to acknowledge, and has not.

use std::collections::VecDeque;

/// With more of them a connection is not followed any more.
const LIMIT: usize = 4096;

struct Delivery {
    subscription: Vec<u8>,
    id: Vec<u8>,
}

/// All of them, in the server's order.
#[derive(Default)]
pub(crate) struct Deliveries(VecDeque<Delivery>);

impl Deliveries {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The server delivered a message. False: there are too many.
    pub(crate) fn add(&mut self, subscription: &[u8], id: &[u8]) -> bool {
        let delivery = Delivery {
            subscription: subscription.to_vec(),
            id: id.to_vec(),
        };
        self.0.push_back(delivery);
        self.0.len() <= LIMIT
    }

    /// The client acknowledged `id`, or refused it. `is_cumulative` tells of a subscription
    /// whether that means everything before it as well.
    pub(crate) fn acknowledge(&mut self, id: &[u8], is_cumulative: impl Fn(&[u8]) -> bool) {
        let Some(at) = self.0.iter().position(|delivery| delivery.id == id) else {
            return;
        };
        let Some(delivery) = self.0.remove(at) else {
            return;
        };
        if is_cumulative(&delivery.subscription) {
            let mut place = 0;
            self.0.retain(|other| {
                place += 1;
                place > at || other.subscription != delivery.subscription
            });
        }
    }

    /// The client unsubscribed: it owes nothing any more.
    pub(crate) fn forget(&mut self, subscription: &[u8]) {
        self.0
            .retain(|delivery| delivery.subscription != subscription);
    }

    pub(crate) fn memory(&self) -> usize {
        let each = |delivery: &Delivery| {
            size_of::<Delivery>() + delivery.subscription.len() + delivery.id.len()
        };
        self.0.iter().map(each).sum()
    }
}
