// The settings of the tests' Node-RED: on this machine only, without telemetry, and each line of its log as JSON.
module.exports = {
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpload: false } },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { editable: false, catalogues: [] } },
    logging: {
        console: { level: 'off' },
        lines: {
            level: 'info',
            handler: () => ({ level, name, type, msg }) => {
                const text = typeof msg === 'string' ? msg : msg?.stack ?? JSON.stringify(msg);
                process.stdout.write(JSON.stringify({ level, node: name || type || '', text }) + '\n');
            },
        },
    },
};
