using System.Net.Sockets;
using System.Text;

namespace TinyLlm.Cli.Api;

/// <summary>The server refused a request, failed, or answered something that is not the protocol. The message is the server's own where it gave one.</summary>
internal sealed class ApiException(string message) : Exception(message)
{
    /// <summary>The HTTP status; null when the fault came inside a stream that began well.</summary>
    public int? Status { get; init; }

    /// <summary>The machine-readable reason.</summary>
    public string? Code { get; init; }

    /// <summary>Names the request in the server's logs.</summary>
    public string? TraceId { get; init; }

    /// <summary>The model file at fault.</summary>
    public string? File { get; init; }

    /// <summary>The tensor at fault.</summary>
    public string? Tensor { get; init; }

    /// <summary>When a repeat may succeed.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether a fault is of the connection, not of the answer.</summary>
    public static bool IsNetwork(Exception fault) => fault is HttpRequestException or HttpIOException or SocketException;

    /// <summary>All that helps, on one line: where, what, code, trace.</summary>
    public string ToLine()
    {
        StringBuilder line = new();
        if (File is not null && !Message.Contains(File, StringComparison.Ordinal)) line.Append(File).Append(": ");
        if (Tensor is not null && !Message.Contains(Tensor, StringComparison.Ordinal)) line.Append("tensor '").Append(Tensor).Append("': ");
        line.Append(Message);
        List<string> facts = [];
        if (Status is int status) facts.Add($"status {status}");
        if (Code is not null) facts.Add($"code {Code}");
        if (TraceId is not null) facts.Add($"trace {TraceId}");
        if (RetryAfter is TimeSpan pause) facts.Add($"retry after {Math.Ceiling(pause.TotalSeconds)} s");
        return facts.Count == 0 ? line.ToString() : line.Append(" (").AppendJoin(", ", facts).Append(')').ToString();
    }
}
