#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace cpm::http {

/// Counts the bytes of large answers that are being sent: whoever asks for many and reads none of
/// them takes neither the memory of all nor what others may have.
///
/// Concurrency: one thread.
class UnreadAnswers {
  public:
    /// An answer is large from here on.
    static constexpr std::size_t kLarge = 64UL * 1024;
    /// So much of them is kept at once, and for one caller. The first one is always sent.
    static constexpr std::size_t kMost = 32UL * 1024 * 1024;
    static constexpr std::size_t kMostOfOne = kMost / 4;

    bool has_room(std::string const& caller, std::size_t size) const {
        auto const found = by_caller_.find(caller);
        auto const own = found == by_caller_.end() ? 0 : found->second;
        bool const fits = all_ == 0 || all_ + size <= kMost;
        return size < kLarge || (fits && (own == 0 || own + size <= kMostOfOne));
    }

    /// One answer, for as long as it is being sent.
    class Sending {
      public:
        Sending(UnreadAnswers& answers, std::string caller, std::size_t size)
            : answers_(answers)
            , caller_(std::move(caller))
            , size_(size < kLarge ? 0 : size) {
            answers_.add(caller_, size_);
        }
        Sending(Sending const&) = delete;
        Sending& operator=(Sending const&) = delete;
        ~Sending() { answers_.remove(caller_, size_); }

      private:
        UnreadAnswers& answers_;
        std::string caller_;
        std::size_t size_;
    };

  private:
    void add(std::string const& caller, std::size_t size) {
        all_ += size;
        if (size > 0)
            by_caller_[caller] += size;
    }
    void remove(std::string const& caller, std::size_t size) {
        all_ -= size;
        if (size > 0 && (by_caller_[caller] -= size) == 0)
            by_caller_.erase(caller);
    }

    std::size_t all_ = 0;
    std::map<std::string, std::size_t> by_caller_;
};

} // namespace cpm::http
