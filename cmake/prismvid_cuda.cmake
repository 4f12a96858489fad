# NVIDIA: the kernels of src/nn/cuda, compiled ahead by nvcc and put into the program, and MLX's library from its CUDA wheel.
# prismvid_cuda_image(NAME SOURCE bits flags...) sets <NAME>_image to a file of machine code that depends on SOURCE.
find_program(NVCC nvcc PATHS /usr/local/cuda/bin)
# Machine code for Ampere (8.0 runs on 8.6 too), Ada and Hopper; PTX, which the driver compiles, for what comes later.
set(PRISMVID_CUDA_ARCHITECTURES
  "-gencode=arch=compute_80,code=sm_80;-gencode=arch=compute_89,code=sm_89;-gencode=arch=compute_90a,code=sm_90a;-gencode=arch=compute_90,code=compute_90"
  CACHE STRING "Devices that nvcc makes code for")
set(cuda_folder ${PROJECT_SOURCE_DIR}/src/nn/cuda)
file(GLOB cuda_headers ${cuda_folder}/*.cuh ${cuda_folder}/*arguments.h)

function(prismvid_cuda_image name source)
  set(image ${PROJECT_BINARY_DIR}/cuda/${name}.fatbin)
  add_custom_command(OUTPUT ${image} DEPENDS ${cuda_folder}/${source} ${cuda_headers}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/cuda
    COMMAND ${NVCC} -std=c++20 -O3 -fatbin -I${PROJECT_SOURCE_DIR}/src ${ARGN} -o ${image} ${cuda_folder}/${source}
    COMMENT "nvcc ${name}" VERBATIM)
  set(${name}_image ${image} PARENT_SCOPE)
endfunction()

# A program of nvcc alone, named as its source, by a target that is built only when asked for.
function(prismvid_cuda_program name source)
  get_filename_component(program ${source} NAME_WE)
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${program})
  add_custom_command(OUTPUT ${program} DEPENDS ${source} ${cuda_headers}
    COMMAND ${NVCC} -std=c++20 -O3 -I${PROJECT_SOURCE_DIR}/src ${PRISMVID_CUDA_ARCHITECTURES} -o ${program}
      ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    COMMENT "nvcc ${name}" VERBATIM)
  add_custom_target(${name} DEPENDS ${program})
endfunction()

if(PRISMVID_CUDA)
  if(NOT NVCC)
    message(FATAL_ERROR "PRISMVID_CUDA needs nvcc, NVIDIA's CUDA toolkit 13, on the PATH or in /usr/local/cuda/bin.")
  endif()
  set(PRISMVID_CUDA_SITE ${PROJECT_SOURCE_DIR}/.cuda CACHE PATH "Folder of MLX's CUDA wheel (tools/setup.sh cuda)")
  set(mlx_library_folder ${PRISMVID_CUDA_SITE}/mlx/lib)
  if(NOT EXISTS ${mlx_library_folder}/libmlx.so)
    message(FATAL_ERROR "No CUDA library of MLX in ${PRISMVID_CUDA_SITE}: run 'tools/setup.sh cuda' first.")
  endif()
  find_package(CUDAToolkit 13 REQUIRED)
  add_library(mlx SHARED IMPORTED GLOBAL)
  set_target_properties(mlx PROPERTIES IMPORTED_LOCATION ${mlx_library_folder}/libmlx.so)
  target_include_directories(mlx SYSTEM INTERFACE ${PRISMVID_CUDA_SITE}/mlx/include ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_definitions(mlx INTERFACE PRISMVID_CUDA)
  # What MLX's library itself needs (cuDNN and others) is looked for when the program starts.
  target_link_options(mlx INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(mlx INTERFACE CUDA::cuda_driver)
endif()
