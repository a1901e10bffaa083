// Apart from the fold itself: taking every type apart costs compile time.
#include "projections/log_fold.hpp"
#include "projections/packer.hpp"
#include "projections/unpacker.hpp"

namespace cpm::projections {

std::string pack(LogFold const& fold) {
    packing::Packer packer;
    packer(fold);
    return packer.take();
}

std::optional<LogFold> unpack(std::string_view bytes) {
    packing::Unpacker unpacker(bytes);
    std::optional<LogFold> fold(std::in_place);
    unpacker(*fold);
    if (!unpacker.done())
        return std::nullopt;
    return fold;
}

} // namespace cpm::projections
