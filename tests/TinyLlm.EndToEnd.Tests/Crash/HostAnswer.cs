using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>A whole answer.</summary>
internal sealed record HostAnswer(HttpStatusCode Status, byte[] Body, string? UploadOffset)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonNode Json => JsonNode.Parse(Body)!;

    public static async Task<HostAnswer> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        await response.Content.ReadAsByteArrayAsync(CancellationToken.None),
        response.Headers.TryGetValues("Upload-Offset", out IEnumerable<string>? values) ? values.Single() : null);

    /// <summary>Fails unless the status is one of those.</summary>
    public HostAnswer Require(string what, params HttpStatusCode[] allowed)
    {
        Assert.True(allowed.Contains(Status), $"{what}: {(int)Status} {Text}");
        return this;
    }
}
