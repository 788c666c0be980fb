# Builds the addon where cmake is missing, from the same src-native/sources.txt and with the same
# flags as CMakeLists.txt.
{
  'variables': {
    'liburing_archive': '<!(node scripts/liburing.mjs)',
  },
  'targets': [
    {
      'target_name': 'soref',
      'sources': ['<!@(node scripts/native-sources.mjs)'],
      'include_dirs': ['src-native'],
      # The last keeps a worker that is being terminated, where nothing can throw, from ending all.
      'defines': [
        'NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags': [
        '-O2', '-g', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wshadow', '-Wconversion',
      ],
      # The headers of others are system headers: their warnings are not ours.
      'cflags_cc': [
        '-std=c++20', '-fvisibility-inlines-hidden',
        '<!@(node scripts/node-headers.mjs --flags)',
      ],
      'cflags!': ['-O3'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=c++17', '-fno-rtti'],
      'ldflags': [
        '-Wl,--version-script=<(module_root_dir)/src-native/exports.map',
        '-Wl,-z,now', '-static-libstdc++', '-static-libgcc',
      ],
      'configurations': {
        'Debug': {'defines': ['SOREF_EXPENSIVE_CHECKS=1']},
      },
      'conditions': [
        ['liburing_archive!=""', {
          'defines': ['SOREF_HAVE_LIBURING=1'],
          'libraries': ['<(liburing_archive)'],
        }],
      ],
    },
  ],
}
