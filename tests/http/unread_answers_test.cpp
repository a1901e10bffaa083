// How much of what is sent may lie unread (HTTP 3.5).
#include "http/unread_answers.hpp"

#include <doctest/doctest.h>

#include <deque>

using cpm::http::UnreadAnswers;

namespace {

constexpr std::size_t kMiB = 1024UL * 1024;

} // namespace

TEST_CASE("answers: who reads none of his takes a quarter of the room, and the others theirs (3.5)"
) {
    UnreadAnswers unread;
    std::deque<UnreadAnswers::Sending> sending;
    for (int i = 0; i < 8; ++i) {
        CHECK(unread.has_room("user:a", kMiB));
        sending.emplace_back(unread, "user:a", kMiB);
    }
    CHECK_FALSE(unread.has_room("user:a", kMiB));
    CHECK(unread.has_room("user:a", UnreadAnswers::kLarge - 1));
    for (auto const* other : {"user:b", "token:a", "192.0.2.1"})
        for (int i = 0; i < 8; ++i) {
            CHECK(unread.has_room(other, kMiB));
            sending.emplace_back(unread, other, kMiB);
        }
    CHECK_FALSE(unread.has_room("user:c", kMiB)); // all is taken
    sending.pop_front();
    CHECK(unread.has_room("user:a", kMiB));
    CHECK(unread.has_room("user:c", kMiB));
}

TEST_CASE("answers: the first one is sent, whatever its size (3.5)") {
    UnreadAnswers unread;
    CHECK(unread.has_room("user:a", 100 * kMiB));
    UnreadAnswers::Sending const first(unread, "user:a", 10 * kMiB);
    CHECK_FALSE(unread.has_room("user:a", kMiB));
    CHECK(unread.has_room("user:b", 20 * kMiB));
    CHECK_FALSE(unread.has_room("user:b", 30 * kMiB));
}
