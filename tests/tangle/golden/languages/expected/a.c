int main() {
  // Return
  return 1 << 2 >> 1;
      << x >> y;
}
#include <x>
std::cout << a >> b;
# <<Not mine>> but text
