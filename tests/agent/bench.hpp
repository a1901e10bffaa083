#pragma once

#include "agent/conduct.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <sodium.h>

namespace cpm::agent::test {

inline constexpr auto kServer = "srv_1";
inline constexpr auto kBoot = "11111111-2222-3333-4444-555555555555";
inline constexpr auto kOtherBoot = "99999999-2222-3333-4444-555555555555";

/// The manager's side of an order, written down a second time from HTTP 3.3.
class Signer {
  public:
    Signer() { crypto_sign_keypair(public_.data(), secret_.data()); }

    std::string public_key() const { return base64(public_); }

    std::string sign(Head const& head) const {
        return sign(
            "cpm-head-v1\n" + std::to_string(head.epoch) + "\n" + std::to_string(head.sequence) +
            "\n" + head.hash + "\n"
        );
    }

    std::string sign(SignedOrder const& order) const {
        auto const text = "cpm-order-v1\n" + order.server_id + "\n" + order.identity.boot_id +
                          "\n" + std::to_string(order.identity.resume_count) + "\n" + order.nonce +
                          "\n" + std::to_string(order.sequence) + "\n" +
                          std::string(to_string(order.method)) + "\n";
        return sign(text);
    }

  private:
    std::string sign(std::string const& text) const {
        std::array<unsigned char, crypto_sign_BYTES> signature{};
        crypto_sign_detached(
            signature.data(),
            nullptr,
            reinterpret_cast<unsigned char const*>(text.data()),
            text.size(),
            secret_.data()
        );
        return base64(signature);
    }

    template <std::size_t N>
    static std::string base64(std::array<unsigned char, N> const& bytes) {
        constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
        std::string text(sodium_base64_encoded_len(N, kVariant), '\0');
        sodium_bin2base64(text.data(), text.size(), bytes.data(), N, kVariant);
        text.pop_back();
        return text;
    }

    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

/// A machine whose agent is asked step by step, and its manager.
class Bench {
  public:
    explicit Bench(std::optional<Memory> memory = {}, bool has_previous_token = false)
        : conduct(
              kServer,
              OrderKey::parse(signer.public_key()).value(),
              {kBoot, 0},
              memory,
              has_previous_token
          ) {}

    Observation seen() {
        Observation observation{
            .boottime = now,
            .identity = identity,
            .blocked_by = blocked_by,
            .sleep_blocked_by = sleep_blocked_by,
            .leaving = leaving,
        };
        randombytes_buf(observation.random.data(), observation.random.size());
        return observation;
    }

    Step next() { return conduct.next(seen()); }

    /// What the next step must be; fails the test if it is another.
    template <class T>
    T must() {
        auto const step = next();
        REQUIRE_MESSAGE(std::holds_alternative<T>(step), "step ", step.index());
        return std::get<T>(step);
    }

    /// The next step must be a heartbeat; it lets the time until then pass.
    Report report() {
        auto step = next();
        if (auto const* hold = std::get_if<HoldManifest>(&step)) {
            now += hold->question.wait;
            conduct.answered(seen(), Unchanged{});
            step = next();
        }
        if (auto const* rest = std::get_if<Rest>(&step)) {
            now = std::max(now, rest->until);
            step = next();
        }
        REQUIRE_MESSAGE(std::holds_alternative<SendHeartbeat>(step), "step ", step.index());
        last = std::get<SendHeartbeat>(step);
        return last.report;
    }

    void tell(Outcome const& outcome) { conduct.answered(seen(), outcome); }

    Answer on() const { return {.manifest_version = "ON.10", .head = head}; }

    SignedOrder order(std::string const& nonce, std::uint64_t sequence = 7) const {
        SignedOrder order{
            .method = method,
            .server_id = kServer,
            .identity = identity,
            .nonce = nonce,
            .sequence = sequence,
            .signature = {},
        };
        order.signature = signer.sign(order);
        return order;
    }

    Answer off(std::string const& nonce, std::uint64_t sequence = 7) const {
        return {
            .power_status = core::PowerStatus::Off,
            .manifest_version = fmt::format("OFF.10.{}", sequence),
            .head = head,
            .order = order(nonce, sequence),
        };
    }

    /// A heartbeat that is answered ON, or OFF with a genuine order.
    Report report_and_hear_on() {
        auto const said = report();
        tell(on());
        return said;
    }
    Report report_and_hear_off(std::uint64_t sequence = 7) {
        auto const said = report();
        tell(off(said.nonce, sequence));
        return said;
    }

    // The way to the act, by stations.
    void come_up() { report_and_hear_on(); }
    void be_ordered(std::uint64_t sequence = 7) {
        come_up();
        report_and_hear_off(sequence);
    }
    void run_hooks() {
        be_ordered();
        report_and_hear_off();
        must<RunHooks>();
    }
    void ask_again() { // the second question stands next
        run_hooks();
        conduct.hooks_ended(seen(), "");
    }

    /// No act follows, whatever is asked and however late.
    void stays_up() {
        for (int i = 0; i < 50; ++i) {
            auto const step = next();
            CHECK_FALSE(std::holds_alternative<Act>(step));
            if (auto const* rest = std::get_if<Rest>(&step))
                now = std::max(now, rest->until);
            else
                conduct.answered(seen(), Failure{.kind = {}, .detail = "away"});
            now += seconds(1);
        }
    }

    static bool is_stopping(Report const& report) {
        return report.status == core::HeartbeatStatus::Stopping;
    }

    Signer signer;
    microseconds now = seconds(100);
    BootIdentity identity{kBoot, 0};
    std::string blocked_by;
    std::string sleep_blocked_by;
    Leaving leaving = Leaving::No;
    OffMethod method = OffMethod::PowerOff; ///< of the orders
    Head head{.epoch = 1, .sequence = 50, .hash = "aa", .mac = "m"};
    SendHeartbeat last;
    Conduct conduct;
};

} // namespace cpm::agent::test
