using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TinyLlm.Cli.Offline;

/// <summary>One JSON value a line, read and written as they come. A line that is not what was asked for ends the run, by its number.</summary>
internal static class JsonLines
{
    // Text stays readable; what a line can't hold is escaped by any encoder.
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The lines' values. <paramref name="what"/> is what each of them must be, for the fault's text.</summary>
    public static async IAsyncEnumerable<T> ReadAsync<T>(TextReader input, string what, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long number = 1; ; number++)
        {
            // Standard input can't be cancelled: a line that never comes must not hold the program.
            string? line = await Task.Run(input.ReadLine, cancellationToken).WaitAsync(cancellationToken);
            if (line is null) yield break;
            yield return Parse<T>(line, number, what);
        }
    }

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, s_json);

    private static T Parse<T>(string line, long number, string what)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line) ?? throw Bad(number, what);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // the latter: half a surrogate pair
        {
            throw Bad(number, what);
        }
    }

    private static UsageException Bad(long number, string what) => new($"line {number} is not {what}");
}
