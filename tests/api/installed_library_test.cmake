# Another project finds the installed library, builds on its headers alone and asks a model:
# cmake -DBUILD=... -DPREFIX=... -DSOURCE=... -DCOMPILER=... -P this
file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-examples)
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${ARGN} failed:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} --component library)
run(${CMAKE_COMMAND} -S ${SOURCE}/examples -B ${PREFIX}-examples -DCMAKE_PREFIX_PATH=${PREFIX}
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=-Wall\ -Wextra\ -Werror)
run(${CMAKE_COMMAND} --build ${PREFIX}-examples)
set(program ${PREFIX}-examples/describe_media)
run(${program} ${SOURCE}/assets/models/demo-world-vlm ${SOURCE}/docs/report.png "What is shown?")
if(NOT output MATCHES "tokens read, [1-9]")
  message(FATAL_ERROR "the example gave no answer:\n${output}")
endif()
execute_process(COMMAND ${program} /no/such/model ${SOURCE}/docs/report.png "?" ERROR_VARIABLE refusal RESULT_VARIABLE code)
if(NOT code EQUAL 1 OR NOT refusal MATCHES "^describe_media: [^\n]*/no/such/model[^\n]*\n$")
  message(FATAL_ERROR "expected one line about /no/such/model and exit code 1, got ${code}:\n${refusal}")
endif()
