using System.Diagnostics;
using Azure.Storage.Blobs;
using TinyLlm.Tests;

[assembly: AssemblyFixture(typeof(TinyLlm.Storage.Tests.Azurite))]

namespace TinyLlm.Storage.Tests;

/// <summary>
/// The real Azurite (tests/npm), started by the first test that needs it on a port that the system picks, ended by its process id after the last.
/// Every test gets a container of its own.
/// </summary>
public sealed class Azurite : IAsyncDisposable
{
    private const string Program = "tests/npm/node_modules/azurite/dist/src/blob/main.js";
    private const string Listening = "successfully listens on ";

    /// <summary>The account that Azurite always has; its key is published in its documentation.</summary>
    private const string Account =
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly SemaphoreSlim starting = new(1, 1);
    private Process? process;
    private Uri? address;
    private Task draining = Task.CompletedTask;

    /// <summary>A fresh container; skips the calling test where Azurite isn't installed.</summary>
    public async Task<BlobContainerClient> NewContainerAsync(CancellationToken cancellationToken, BlobClientOptions? options = null)
    {
        string program = Path.Combine(TestData.RepositoryRoot, Program);
        Assert.SkipUnless(File.Exists(program), "Azurite is not installed: run 'npm ci' in tests/npm");
        await starting.WaitAsync(cancellationToken);
        try
        {
            address ??= await StartAsync(program, cancellationToken);
        }
        finally
        {
            starting.Release();
        }
        return new BlobContainerClient($"{Account};BlobEndpoint={address}devstoreaccount1;", $"test-{Guid.NewGuid():N}", options);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            await draining;
            process.Dispose();
        }
        starting.Dispose();
    }

    private async Task<Uri> StartAsync(string program, CancellationToken cancellationToken)
    {
        string[] arguments =
            [program, "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"];
        process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("Azurite did not start");
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            int at = line.IndexOf(Listening, StringComparison.Ordinal);
            if (at < 0) continue;

            // A line per request follows; it is thrown away so that the pipe never fills.
            draining = Task.WhenAll(
                process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None),
                process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None));
            return new Uri(line[(at + Listening.Length)..]);
        }
        throw new InvalidOperationException($"Azurite ended with {process.ExitCode} before it listened");
    }
}
