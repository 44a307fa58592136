using System.Collections.Concurrent;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>Every GET, by its path; one of them may be held for good.</summary>
internal sealed class RequestLog() : DelegatingHandler(new SocketsHttpHandler())
{
    public ConcurrentBag<string> Reads { get; } = [];

    /// <summary>Reads of a path with this in it never end.</summary>
    public string? HeldPath { get; set; }

    /// <summary>Done when one is held.</summary>
    public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Get) Reads.Add(path);
        if (HeldPath is not null && request.Method == HttpMethod.Get && path.Contains(HeldPath, StringComparison.Ordinal))
        {
            Reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        return await base.SendAsync(request, cancellationToken);
    }

    /// <summary>A store in a container of its own, whose requests come by here.</summary>
    public async Task<ObjectStore> OpenStoreAsync(Azurite azurite)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        BlobClientOptions options = new() { Transport = new HttpClientTransport(this) };
        return await AzureBlobObjectStore.OpenAsync(new BlobContainerClient(await azurite.ConnectAsync(cancellationToken), $"test-{Guid.NewGuid():N}", options), cancellationToken);
    }
}
