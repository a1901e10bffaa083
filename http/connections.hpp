#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace cpm::http {

/// Counts the open connections against their limits (HTTP 3.5).
///
/// A quarter of all places is kept for agents: people, and whoever has not said yet who he is, hold
/// at most three quarters for longer than one request. A connection is an agent's from the request
/// that brought an agent's credential on (a join brings none yet: strangers could fill the quarter
/// with them), and a person's again from one that did not.
/// When the people's places are taken a new connection may still come in; if its first request is
/// no agent's it ends with 429.
/// When all are taken, the address with the most connections that have not said yet who they are
/// (slow to agree on keys, or silent) gives its oldest one up to a caller of an address with fewer
/// of them: a few such addresses do not keep all others out.
///
/// Concurrency: one thread.
class Connections {
    enum class Holder { Unknown, Agent, Person };

    struct Seat {
        std::string address;
        bool is_many = false;
        Holder holder = Holder::Unknown;
        bool is_lost = false; ///< given to another; its connection is ending
        std::function<void()> on_lost{};
    };

  public:
    struct Limits {
        std::size_t all = 1024;
        std::size_t an_address = 256; ///< loopback, a trusted proxy: only the first limit counts
        std::size_t people = 768;

        /// Of these what a process with so many file descriptors can hold, people's share alike:
        /// the log needs some, too, and one that cannot open a file ends the manager.
        Limits within(std::size_t descriptors) const;
        static constexpr std::size_t kForTheRest = 256;
    };

    /// One connection's place; gives it back when it goes.
    class Place {
      public:
        Place(std::shared_ptr<Connections> connections, std::string address, bool is_many);
        Place(Place&&) = default;
        Place& operator=(Place&&) = delete;
        ~Place();

        /// Says whose request came; false: people's places are taken, and this is no agent's.
        [[nodiscard]] bool admit(bool is_agent);
        /// What to do when the place is given to another: end the connection. Not called from
        /// within a call of this connection.
        void on_lost(std::function<void()> end) { seat_->on_lost = std::move(end); }

      private:
        std::shared_ptr<Connections> connections_; ///< null after a move
        std::list<Seat>::iterator seat_;
    };

    explicit Connections(Limits limits)
        : limits_(limits) {}

    /// A place, or which limit is reached, as a sentence. `is_many`: many call from this address.
    static std::variant<Place, std::string>
    take(std::shared_ptr<Connections> const& connections, std::string const& address, bool is_many);

    std::size_t count() const { return count_; }

  private:
    bool give_up_one(std::string const& caller);
    void give_back(Seat& seat);

    Limits limits_;
    std::list<Seat> seats_; ///< in the order they were taken
    std::size_t count_ = 0;
    std::size_t people_ = 0;
    std::unordered_map<std::string, std::size_t> by_address_;
};

} // namespace cpm::http
