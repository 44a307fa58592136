using System.Buffers;
using System.Text;
using TinyLlm.Text.Models;

namespace TinyLlm.Text.Decoding;

/// <summary>
/// Turns each run of byte tokens into text. As in the reference, a run that is not valid UTF-8 as a whole becomes one U+FFFD for each byte,
/// so a run is kept until it ends. A stream can't wait for that: a language that the vocabulary spells in bytes would come all at once at the
/// end. So with <see cref="EmitsEarly"/> each character comes as soon as its last byte does, and only bytes that belong to none become U+FFFD.
/// The two differ where a run is not valid UTF-8, and nowhere else.
/// </summary>
internal sealed class ByteFallbackStage(DecodeStage next) : DecodeStage(next)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<byte> run = [];
    private readonly bool joinsPushes = next is TextStage or FusedStripStage; // to any other stage, a run is one token

    /// <summary>Whether characters of a run come one by one.</summary>
    public bool EmitsEarly { get; set; }

    public override void Push(string text)
    {
        if (!ByteTokens.TryParse(text, out byte value))
        {
            PushRun();
            Next.Push(text);
            return;
        }
        run.Add(value);
        if (EmitsEarly && joinsPushes) PushCharacters();
    }

    public override void End()
    {
        PushRun();
        base.End();
    }

    /// <summary>What of the run is certain: all but the beginning of a character. The run never has more than three bytes afterwards.</summary>
    private void PushCharacters()
    {
        while (run.Count > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8([.. run], out Rune rune, out int bytes);
            if (status == OperationStatus.NeedMoreData) return;
            run.RemoveRange(0, bytes);
            Next.Push(status == OperationStatus.Done ? rune.ToString() : new string('\uFFFD', bytes));
        }
    }

    private void PushRun()
    {
        if (run.Count == 0) return;
        string text;
        try
        {
            text = Strict.GetString([.. run]);
        }
        catch (DecoderFallbackException)
        {
            text = new string('\uFFFD', run.Count);
        }
        run.Clear();
        Next.Push(text);
    }
}
