using System.Text;

namespace TinyLlm.Text.Constraints;

/// <summary>
/// Inside a key. Where any key is allowed its text is kept, so that at its end a name of the schema is known and a repeated key is not offered; a longer
/// key is always left. Where only the schema's names are, they are followed by their characters.
/// </summary>
internal sealed class KeyFrame : JsonFrame
{
    private readonly ObjectFrame _owner;
    private readonly StringCursor _cursor;
    private readonly KeyText? _text;
    private readonly bool _isFree;

    private KeyFrame(ObjectFrame owner, StringCursor cursor, KeyText? text, bool isFree)
        : base(owner) => (_owner, _cursor, _text, _isFree) = (owner, cursor, text, isFree);

    public override StringCursor? Text => _isFree ? _cursor : null;

    public static KeyFrame Begin(ObjectFrame owner) => owner.MayHaveOther
        ? new KeyFrame(owner, new StringCursor(FreeLanguage.Instance, null), null, isFree: true)
        : new KeyFrame(owner, new StringCursor(new KeyLanguage(owner.Trie, owner.Allowed), null), null, isFree: false);

    public override void Step(byte value, JsonReadings readings)
    {
        if (value == '"' && _cursor.IsBetweenCharacters)
        {
            if (_owner.AfterKey(KeyText.Join(_text)) is { } next) readings.Add(next);
            return;
        }
        if (!_cursor.TryStep(value, out StringCursor cursor)) return;
        KeyText? text = cursor.Completed is { } codePoint ? new KeyText(_text, codePoint) : _text;
        readings.Add(new KeyFrame(_owner, cursor, text, _isFree));
    }

    /// <summary>A key's characters so far, last first, shared by all readings that go on from there.</summary>
    private sealed class KeyText(KeyText? before, int codePoint)
    {
        public static string Join(KeyText? last)
        {
            List<int> codePoints = [];
            for (KeyText? at = last; at is not null; at = at.Before) codePoints.Add(at.CodePoint);
            StringBuilder text = new();
            for (int i = codePoints.Count - 1; i >= 0; i--) text.Append(new Rune(codePoints[i]).ToString());
            return text.ToString();
        }

        private KeyText? Before => before;

        private int CodePoint => codePoint;
    }
}
