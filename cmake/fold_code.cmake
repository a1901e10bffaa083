# cmake -D OUT=FILE -P fold_code.cmake: writes the C++ of projections::fold_code(): a hash over the
# source of all that makes a state of the log's records: what reads them and what folds them.
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
file(GLOB sources RELATIVE ${root}
    ${root}/core/*.[ch]pp ${root}/core/events/*.[ch]pp ${root}/projections/*.[ch]pp
    ${root}/eventstore/codec*.[ch]pp ${root}/eventstore/schema/event.fbs)
list(SORT sources)
set(all "")
foreach(source ${sources})
    file(SHA256 ${root}/${source} hash)
    string(APPEND all "${source} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
string(REGEX REPLACE "(..)" "0x\\1, " bytes ${hash})
file(WRITE ${OUT} "#include \"projections/log_fold.hpp\"

cpm::core::Hash const& cpm::projections::fold_code() {
    static constexpr core::Hash kCode{${bytes}};
    return kCode;
}
")
