namespace TinyLlm.Text.Constraints;

/// <summary>The names of those properties that an object may still have.</summary>
internal sealed class KeyLanguage(KeyTrie trie, KeySet allowed) : CharacterLanguage
{
    public override int Start => 0;

    public override int? Next(int state, int codePoint) =>
        trie.Children(state).TryGetValue(codePoint, out int child) && trie.Below(child).Overlaps(allowed) ? child : null;

    public override bool HasNext(int state, int low, int high)
    {
        foreach ((int codePoint, int child) in trie.Children(state))
        {
            if (codePoint > high) return false;
            if (codePoint >= low && trie.Below(child).Overlaps(allowed)) return true;
        }
        return false;
    }

    public override bool IsEnd(int state) => trie.Name(state) is { } name && allowed.Contains(name);
}
