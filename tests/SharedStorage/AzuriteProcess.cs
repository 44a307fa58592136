using System.Diagnostics;

namespace TinyLlm.Tests;

/// <summary>The real Azurite (tests/npm) as a process of its own, in memory, on a port that the system picks; ended by its process id.</summary>
internal sealed class AzuriteProcess : IAsyncDisposable
{
    private const string Folder = "tests/npm";
    private const string Program = "node_modules/azurite/dist/src/blob/main.js";
    private const string WithoutCollection = "azurite-without-collection.cjs";
    private const string Listening = "successfully listens on ";

    /// <summary>The account that Azurite always has; its key is published in its documentation.</summary>
    private const string Account =
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process _process;
    private readonly Task _draining;

    private AzuriteProcess(Process process, Uri address)
    {
        _process = process;
        ConnectionString = $"{Account};BlobEndpoint={address}devstoreaccount1;";

        // A line per request follows; it is thrown away so that the pipe never fills.
        _draining = Task.WhenAll(
            process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None),
            process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None));
    }

    /// <summary>Whether 'npm ci' was run in tests/npm.</summary>
    public static bool IsInstalled => FindFolder() is not null;

    /// <summary>Opens the account.</summary>
    public string ConnectionString { get; }

    public static async Task<AzuriteProcess> StartAsync(CancellationToken cancellationToken)
    {
        string folder = FindFolder() ?? throw new FileNotFoundException("Azurite is not installed: run 'npm ci' in tests/npm");
        string[] arguments =
            ["--require", Path.Combine(folder, WithoutCollection), Path.Combine(folder, Program), "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"];
        Process process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("Azurite did not start");
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            int at = line.IndexOf(Listening, StringComparison.Ordinal);
            if (at >= 0) return new AzuriteProcess(process, new Uri(line[(at + Listening.Length)..]));
        }
        throw new InvalidOperationException($"Azurite ended with {process.ExitCode} before it listened");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _draining;
        _process.Dispose();
    }

    private static string? FindFolder()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "TinyLlm.sln"))) folder = folder.Parent;
        string? packages = folder is null ? null : Path.Combine(folder.FullName, Folder);
        return packages is not null && File.Exists(Path.Combine(packages, Program)) ? packages : null;
    }
}
