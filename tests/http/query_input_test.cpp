#include "http/query_input.hpp"

#include <doctest/doctest.h>

using cpm::core::FieldError;
using namespace cpm::http;

namespace {

Request asks(std::vector<std::pair<std::string, std::string>> query) {
    Request request;
    request.query = std::move(query);
    return request;
}

} // namespace

TEST_CASE("query: a parameter that is unknown, stands twice or is out of range is named") {
    auto const request =
        asks({{"limit", "0"}, {"tag", "a"}, {"tag", "b"}, {"force", "yes"}, {"bar", "1"}});
    Faults faults;
    QueryFields query(request, faults);
    CHECK_FALSE(query.number("limit", 1, 1000));
    CHECK_FALSE(query.text("tag"));
    CHECK_FALSE(query.flag("force"));
    query.refuse_unknown();
    CHECK(
        faults.result().error().fields ==
        std::vector<FieldError>{
            {"limit", "must be a whole number from 1 to 1000"},
            {"tag", "is there twice"},
            {"force", "must be true or false"},
            {"bar", "is not a parameter of this request"},
        }
    );
}

TEST_CASE("query: numbers are decimal digits and nothing else") {
    for (auto const* text : {"", "+1", "-1", " 1", "1 ", "0x1", "1.0", "99999999999999999999"}) {
        auto const request = asks({{"n", text}});
        Faults faults;
        QueryFields query(request, faults);
        CHECK_MESSAGE(!query.number("n", 0, UINT64_MAX), text);
        CHECK_FALSE(faults.empty());
    }
}

TEST_CASE("query: a page is 100 long unless it says otherwise (3.1)") {
    auto const request = asks({});
    Faults faults;
    QueryFields query(request, faults);
    auto const page = read_page(query, faults);
    CHECK(page.limit == 100);
    CHECK_FALSE(page.after);
    CHECK(faults.empty());
}

TEST_CASE("query: a cursor names the place it was made of, whatever its bytes") {
    for (std::string const place : {"", "a", "name\nsrv_1\nrack \xe3\x81\x82", "x\xff\x01y"}) {
        auto const cursor = make_cursor(place);
        CHECK(cursor.find_first_of("+/= \n&") == std::string::npos); // safe in a URL
        auto const request = asks({{"cursor", cursor}, {"limit", "7"}});
        Faults faults;
        QueryFields query(request, faults);
        auto const page = read_page(query, faults);
        CHECK(page.after == place);
        CHECK(page.limit == 7);
    }
}

TEST_CASE("query: what is no cursor of ours is a fault") {
    for (auto const& cursor : {std::string("%"), std::string("a"), std::string(2000, 'a')}) {
        auto const request = asks({{"cursor", cursor}});
        Faults faults;
        QueryFields query(request, faults);
        CHECK_FALSE(read_page(query, faults).after);
        CHECK_FALSE(faults.empty());
    }
}
