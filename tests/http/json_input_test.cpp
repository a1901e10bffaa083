#include "http/json_input.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

using cpm::core::ErrorCode;
using cpm::core::FieldError;
using namespace cpm::http;

namespace {

std::string nested(int depth) {
    std::string text = R"({"a":)";
    for (int i = 1; i < depth; ++i)
        text += '[';
    text += '1';
    for (int i = 1; i < depth; ++i)
        text += ']';
    return text + '}';
}

std::string refusal(std::string_view body) {
    auto const object = read_object(body);
    REQUIRE_FALSE(object);
    CHECK(object.error().code == ErrorCode::Malformed);
    return object.error().detail;
}

boost::json::object object_of(std::string_view text) {
    return boost::json::parse(text).as_object();
}

std::vector<FieldError> fields_of(Faults const& faults) {
    auto const result = faults.result();
    return result ? std::vector<FieldError>{} : result.error().fields;
}

} // namespace

TEST_CASE("json: an object 16 levels deep is read, one of 17 is not (3.5)") {
    CHECK(read_object(nested(16)));
    CHECK(refusal(nested(17)) == "the body is nested more than 16 levels deep");
}

TEST_CASE("json: a key that stands twice in one object is refused, at any depth (3.5)") {
    CHECK(refusal(R"({"a":1,"a":2})") == R"(the body has the key "a" twice in one object)");
    CHECK(refusal(R"({"x":[{"b":1,"c":2,"b":3}]})").find("\"b\" twice") != std::string::npos);
    CHECK(refusal("{\"name\":1,\"\\u006eame\":2}").find("\"name\" twice") != std::string::npos);
    CHECK(read_object(R"({"a":{"a":1},"b":{"a":1}})")); // each in an object of its own
}

TEST_CASE("json: what is no JSON object in UTF-8 is malformed, not guessed") {
    for (auto const* body :
         {"",
          " ",
          "[]",
          "1",
          "null",
          "{",
          "{} {}",
          "{'a':1}",
          "{\"a\":1,}",
          "{\"a\":01}",
          "{\"a\":\"\x80\"}",
          "{\"a\":NaN}",
          "/**/{}",
          "\xef\xbb\xbf{}"})
        CHECK_MESSAGE(!read_object(body), body);
    CHECK(read_object(" {\"a\" : \"\xe3\x81\x82\"} \n"));
    CHECK(read_optional_object("")->empty());
    CHECK_FALSE(read_optional_object("[]"));
}

TEST_CASE("json: every faulty field is named in one answer (3.1)") {
    auto const object =
        object_of(R"({"text":5,"long":"12345","line":"a\nb","flag":1,"number":10.0,"list":["a",1],)"
                  R"("ports":[9,70000],"word":"maybe"})");
    Faults faults;
    Fields fields(object, faults);
    CHECK_FALSE(fields.text("text", 9));
    CHECK_FALSE(fields.text("long", 4));
    CHECK_FALSE(fields.line("line", 9));
    CHECK_FALSE(fields.flag("flag"));
    CHECK_FALSE(fields.number("number", 1, 20));
    CHECK_FALSE(fields.texts("list"));
    CHECK_FALSE(fields.numbers("ports", 1, 65535));
    auto const never = [](std::string_view) { return std::optional<int>{}; };
    CHECK_FALSE(fields.parsed("word", never, "yes or no"));
    CHECK_FALSE(fields.require("missing"));
    CHECK(
        fields_of(faults) ==
        std::vector<FieldError>{
            {"text", "must be text"},
            {"long", "must be at most 4 bytes long"},
            {"line", "must not contain control characters"},
            {"flag", "must be true or false"},
            {"number", "must be a whole number from 1 to 20"},
            {"list", "must be a list of texts"},
            {"ports", "must be a list; each item must be a whole number from 1 to 65535"},
            {"word", "must be yes or no"},
            {"missing", "is required"},
        }
    );
    CHECK(faults.result().error().code == ErrorCode::Validation);
    CHECK(faults.result().error().detail == "text: must be text");
}

TEST_CASE("json: right fields are read as they stand, absent ones are absent") {
    auto const object =
        object_of(R"({"text":"a\nb","flag":false,"low":1,"high":18446744073709551615,"list":[],)"
                  R"("ports":[9],"inner":{}})");
    Faults faults;
    Fields fields(object, faults);
    CHECK(fields.text("text", 3) == "a\nb");
    CHECK(fields.flag("flag") == false);
    CHECK(fields.number("low", 1, 1) == 1);
    CHECK(fields.number("high", 0, UINT64_MAX) == UINT64_MAX);
    CHECK(fields.texts("list")->empty());
    CHECK(fields.numbers("ports", 1, 65535) == std::vector<std::uint64_t>{9});
    CHECK(fields.object("inner") != nullptr);
    CHECK_FALSE(fields.text("absent", 3));
    fields.refuse_unknown();
    CHECK(faults.empty());
}

TEST_CASE("json: a person's unknown field is named, with the object it stands in") {
    auto const object = object_of(R"({"wake":{"port":[9]},"nmae":"x"})");
    Faults faults;
    Fields fields(object, faults);
    auto const* wake = fields.object("wake");
    REQUIRE(wake);
    Fields inner(*wake, faults, Nulls::AreValues, "wake.");
    CHECK_FALSE(inner.numbers("ports", 1, 65535));
    inner.refuse_unknown();
    fields.refuse_unknown();
    CHECK(
        fields_of(faults) ==
        std::vector<FieldError>{
            {"wake.port", "is not a field of this request"},
            {"nmae", "is not a field of this request"},
        }
    );
}

TEST_CASE("json: null is a value in people's bodies and absent in agents'") {
    auto const object = object_of(R"({"a":null})");
    Faults faults;
    Fields people(object, faults);
    CHECK(people.is_null("a"));
    CHECK_FALSE(people.text("a", 9));
    CHECK(fields_of(faults) == std::vector<FieldError>{{"a", "must be text"}});

    Faults none;
    Fields agents(object, none, Nulls::AreAbsent);
    CHECK_FALSE(agents.is_null("a"));
    CHECK_FALSE(agents.text("a", 9));
    CHECK(none.empty());
    CHECK_FALSE(agents.require("a"));
    CHECK(fields_of(none) == std::vector<FieldError>{{"a", "is required"}});
}
