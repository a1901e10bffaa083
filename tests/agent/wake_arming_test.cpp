// Wake-on-LAN of a card: what is armed, what is left as it is, and what people are told.
#include "agent/wake_arming.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace cpm::agent;
using State = WakeArming::State;

namespace {

/// A card as its driver answers for it.
struct Card {
    unsigned supported = WAKE_PHY | WAKE_UCAST | WAKE_BCAST | WAKE_MAGIC;
    unsigned options = 0;
    int get_error = 0;
    int set_error = 0;
    bool keeps = true;
    int set_calls = 0;

    int ask(ethtool_wolinfo& info) {
        if (info.cmd == ETHTOOL_GWOL) {
            info.supported = supported;
            info.wolopts = options;
            return get_error;
        }
        REQUIRE(info.cmd == ETHTOOL_SWOL);
        ++set_calls;
        if (set_error == 0 && keeps)
            options = info.wolopts;
        return set_error;
    }

    WakeArming look(bool arm) {
        return look_at_card(
            [this](ethtool_wolinfo& info) { return ask(info); },
            {.interface = "eth0", .mac = "52:54:00:00:00:01", .state = {}, .warning = {}},
            arm
        );
    }
};

} // namespace

TEST_CASE("waking: a card that is off is armed where that was asked for, and only there (4)") {
    Card card;
    CHECK(card.look(false).state == State::Off);
    CHECK(card.set_calls == 0);
    auto const armed = card.look(true);
    CHECK(armed.state == State::Armed);
    CHECK(armed.warning.empty());
    CHECK(armed.interface == "eth0");
    CHECK(card.options == WAKE_MAGIC);
    CHECK(card.look(true).state == State::Armed);
    CHECK(card.set_calls == 1); // not again
}

TEST_CASE("waking: other wake sources are left as they are, and warned of by name (4)") {
    Card card{.options = WAKE_UCAST | WAKE_BCAST};
    auto const found = card.look(true);
    CHECK(found.state == State::Armed);
    CHECK(card.options == (WAKE_UCAST | WAKE_BCAST | WAKE_MAGIC));
    CHECK(found.warning.find("a ping") != std::string::npos);
    CHECK(found.warning.find("broadcasts") != std::string::npos);
    CHECK(found.warning.find("ARP") == std::string::npos);
    Card secure{.options = WAKE_MAGIC | WAKE_MAGICSECURE};
    CHECK(secure.look(true).warning.empty());
}

TEST_CASE("waking: what cannot be armed says so, and why (4)") {
    struct Row {
        char const* name;
        Card card;
        State state;
        char const* warning;
    };
    for (auto row : {
             Row{"no such command", {.get_error = EOPNOTSUPP}, State::Impossible, ""},
             Row{"no magic packets", {.supported = WAKE_PHY}, State::Impossible, ""},
             Row{"not allowed to look", {.get_error = EPERM}, State::Unknown, "permitted"},
             Row{"not allowed to arm", {.set_error = EPERM}, State::Off, "cannot be armed: "},
             Row{"taken, not kept", {.keeps = false}, State::Off, "does not keep it"},
         }) {
        CAPTURE(row.name);
        auto const found = row.card.look(true);
        CHECK(found.state == row.state);
        CHECK(found.warning.find(row.warning) != std::string::npos);
        CHECK(row.card.options == 0);
    }
}

TEST_CASE("waking: the kernel is asked about the cards of this machine, and no other") {
    CHECK(look_at_waking({"02:00:00:00:00:00"}, false).empty());
    for (auto const& card : look_at_waking({}, false)) {
        CHECK_FALSE(card.interface.empty());
        CHECK(card.mac.size() == 17);
    }
}
