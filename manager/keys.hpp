#pragma once

#include "core/manifest.hpp"
#include "core/result.hpp"
#include "eventstore/event_log.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace cpm::manager {

/// The manager's keys: files in DATA/keys (0600), part of a backup, never in the log.
///
/// Operation: the order key signs what switches servers off (Ed25519); the witness key makes heads
/// that agents carry unforgeable (a keyed MAC). Both are made at the first start. Concurrency:
/// immutable after loading.
class Keys {
  public:
    /// What to do about a key that is not there.
    enum class Missing {
        Make,   ///< the log is new: nobody holds the other half yet
        Refuse, ///< agents hold it: a new key would leave them with orders they cannot check
    };

    /// Loads the keys of this data directory. A file that cannot be read is an error, never
    /// replaced.
    static core::Result<Keys> load(std::filesystem::path const& data_directory, Missing missing);

    /// The public half of the order key, in base64: agents get it when they join.
    std::string const& order_key() const { return order_key_; }

    /// The signature of an order in base64, over the lines of HTTP 3.3.
    std::string sign(core::Order const& order) const;

    /// The signature of a head in base64, over head_text: so that over plain HTTP, too, an agent
    /// takes no head that somebody made up, under which it would obey no order any more.
    std::string sign(eventstore::Head const& head) const;

    /// The MAC of a head in base64.
    std::string witness_mac(eventstore::Head const& head) const;

  private:
    std::string sign_text(std::string_view text) const;

    std::array<unsigned char, 64> order_secret_{};
    std::string order_key_;
    std::array<unsigned char, 32> witness_secret_{};
};

/// What an order's signature is over: "cpm-order-v1", server id, boot id, resume count, nonce,
/// sequence and method, each on a line of its own, ended by \n.
std::string order_text(core::Order const& order);

/// What a head's signature, and its MAC, are over: "cpm-head-v1", epoch, sequence and hash
/// (hexadecimal), each on a line of its own, ended by \n.
std::string head_text(eventstore::Head const& head);

} // namespace cpm::manager
