# prismvid_fuzzer(subtitles SOURCES fuzz.cpp ... [SECONDS n] [DICTIONARY file] [SEEDS folder] [FLAGS ...]) makes a test that builds a
# libFuzzer program with clang, whatever the main compiler is, and runs it for a bounded time with address and undefined
# sanitizers, from the same seed every time: a test must not fail by luck, and the program run by hand looks further. SOURCES
# hold the target and all it calls, so keep parsers of foreign bytes free of heavy libraries; FLAGS are include folders and
# libraries that they cannot do without.
# Without clang (PRISMVID_FUZZER_CXX) the test is reported as skipped, with the reason.
find_program(PRISMVID_FUZZER_CXX NAMES clang++ clang++-14 clang++-15 clang++-16 DOC "Compiler of the fuzzers")

function(prismvid_fuzzer name)
  cmake_parse_arguments(arg "" "SECONDS;DICTIONARY;SEEDS" "SOURCES;FLAGS" ${ARGN})
  if(NOT arg_SECONDS)
    set(arg_SECONDS 20)
  endif()
  set(program ${CMAKE_BINARY_DIR}/${name}_fuzzer)
  set(corpus ${CMAKE_BINARY_DIR}/fuzz/${name})
  if(NOT PRISMVID_FUZZER_CXX)
    message(STATUS "No clang++ found: the fuzzer '${name}' is skipped")
    add_test(NAME fuzz_${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: no clang++ to build the fuzzer with")
    set_tests_properties(fuzz_${name} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: no clang" LABELS fuzz)
    return()
  endif()
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]")
  add_custom_command(OUTPUT ${program}
    COMMAND ${PRISMVID_FUZZER_CXX} -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined
            -fno-sanitize-recover=all -I${PROJECT_SOURCE_DIR}/src -I${PROJECT_SOURCE_DIR}/include
            ${arg_SOURCES} ${arg_FLAGS} -o ${program}
    DEPENDS ${arg_SOURCES} VERBATIM COMMENT "Building the fuzzer ${name} with clang")
  add_custom_target(fuzz_${name}_test ALL DEPENDS ${program})
  file(MAKE_DIRECTORY ${corpus})
  set(dictionary)
  if(arg_DICTIONARY)
    set(dictionary -dict=${CMAKE_CURRENT_SOURCE_DIR}/${arg_DICTIONARY})
  endif()
  set(seeds)
  if(arg_SEEDS)
    set(seeds ${CMAKE_CURRENT_SOURCE_DIR}/${arg_SEEDS})
  endif()
  add_test(NAME fuzz_${name}
    COMMAND ${program} -seed=1 -max_total_time=${arg_SECONDS} -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
            -artifact_prefix=${corpus}_ ${dictionary} ${corpus} ${seeds})
  set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
