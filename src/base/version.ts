// The version of the plugin. A test holds it against package.json, which a bundle does not carry along.

export const PLUGIN_VERSION = '0.1.0'
