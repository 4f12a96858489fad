# prismvid_library(core SOURCES ... PUBLIC ... PRIVATE ...) makes the target prismvid_core of one folder of src/.
# prismvid_test(media_clock SOURCES ... LIBRARIES ... [LABELS ...] [TIMEOUT s]) makes a GoogleTest binary and registers it.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(prismvid_options INTERFACE)
target_include_directories(prismvid_options INTERFACE ${PROJECT_SOURCE_DIR}/src
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/generated)
target_compile_options(prismvid_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-unused-parameter)
if(PRISMVID_SANITIZE)
  target_compile_options(prismvid_options INTERFACE
    -fsanitize=${PRISMVID_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(prismvid_options INTERFACE -fsanitize=${PRISMVID_SANITIZE})
endif()

function(prismvid_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(prismvid_${name} STATIC ${arg_SOURCES})
  target_link_libraries(prismvid_${name} PUBLIC prismvid_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

function(prismvid_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${arg_LIBRARIES} prismvid_test_support GTest::gmock GTest::gtest_main)
  # A third less time to compile; what is tested is optimised as ever.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  set(command ${name}_test)
  if(PRISMVID_CUDA)
    set(command ${PROJECT_SOURCE_DIR}/tests/support/run_where_loadable.sh $<TARGET_FILE:${name}_test>)
  endif()
  add_test(NAME ${name} COMMAND ${command})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(tmp ${CMAKE_BINARY_DIR}/tmp/${name})  # two checkouts may be tested at once
  file(MAKE_DIRECTORY ${tmp})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
    SKIP_RETURN_CODE 77 SKIP_REGULAR_EXPRESSION "skipped: no GPU"
    ENVIRONMENT "PRISMVID_VENV=${PRISMVID_VENV};PRISMVID_MODELS=${PROJECT_SOURCE_DIR}/build/models;TEST_TMPDIR=${tmp}/;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan_suppressions.txt")
endfunction()
